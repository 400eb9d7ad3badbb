"""Channels of a segment: the share of each, and how it reaches a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis.profiles.mixes import REST, Mix
from analysis.profiles.profile import Difference, Profiles
from analysis.profiles.themes import CHANNEL_WORDS, Trait
from analysis.sources.names import split_words


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel: its words in the data, where something happens in it, and how it reaches a person."""

    key: str
    name: str
    place: str
    contact: str
    words: frozenset[str]
    is_direct: bool = True


def _channel(key: str, name: str, place: str, contact: str, more: str = "", is_direct: bool = True) -> Channel:
    """Make a channel; ``more`` are words of labels beside those of a share's part."""
    return Channel(key, name, place, contact, CHANNEL_WORDS.get(key, frozenset()) | set(more.split()), is_direct)


# The first channel with a word in the label of a share counts.
CHANNELS = (
    _channel("visit", "the account manager", "in a sales call", "Their account manager, by phone", "sales"),
    _channel("app", "the app", "in the app", "A message in the app"),
    _channel("catalogue", "the catalogue", "in the catalogue", "Mail"),
    _channel("email", "e-mail", "by e-mail", "E-mail", "newsletter"),
    _channel("website", "the website", "on the website", "E-mail and the website"),
    _channel("phone", "the phone", "by phone", "A phone call", "hotline"),
    _channel("branch", "the branch", "in the branch", "Their adviser in the branch"),
    _channel("store", "the store", "in the store", "In the store, at the till and on the receipt", is_direct=False),
    _channel("marketplace", "the marketplace", "on the marketplace", "The marketplace", "amazon", is_direct=False),
    _channel("partner", "the reseller", "at the reseller", "Through the reseller", is_direct=False),
)


def share_channels(
    mixes: Sequence[Mix], traits: Sequence[Trait], own: Mapping[str, Difference], profiles: Profiles
) -> tuple[dict[str, tuple[float, str]], tuple[Channel, ...]]:
    """The share of each channel here and over everyone: of a mix, of visits by channel, or of one share alone."""
    shares: dict[str, tuple[float, float]] = {}
    channels: dict[str, Channel] = {}

    def add(text: str, link: str, here: float, everyone: float) -> None:
        channel = name_channel(text, link)
        was = shares.get(channel.key, (0.0, 0.0))
        shares[channel.key] = (was[0] + here, was[1] + everyone)
        channels.setdefault(channel.key, channel)

    mix = next((mix for mix in mixes if mix.theme == "channels"), None)
    if mix is not None:
        for part in mix.parts:
            if part.part != REST:
                add(part.part, part.link, part.share, part.everyone)
    else:
        alone = [t for t in traits if t.meaning == "part" and t.theme == "channels" and t.name in own]
        counted = [t for t in traits if t.meaning in {"visits", "support"} and t.name in own and _key(t.label)]
        if alone:
            for trait in alone:
                add(trait.part, trait.link, own[trait.name].summary.mean, profiles.everyone[trait.name].mean)
            calls = next((trait for trait in counted if _key(trait.label) in {"visit", "phone"}), None)
            if calls is not None:
                here, everyone = (1 - sum(pair[i] for pair in shares.values()) for i in (0, 1))
                add(calls.label, "", max(here, 0.0), max(everyone, 0.0))
        elif len({_key(trait.label) for trait in counted}) > 1:
            totals = [
                sum(own[t.name].summary.mean for t in counted),
                sum(profiles.everyone[t.name].mean for t in counted),
            ]
            for trait in counted:
                here, everyone = own[trait.name].summary.mean, profiles.everyone[trait.name].mean
                add(trait.label, "", here / max(totals[0], 1e-9), everyone / max(totals[1], 1e-9))
    if not shares:
        return {}, ()
    ranked = sorted(shares, key=lambda key: -shares[key][0])
    first = shares[ranked[0]]
    numbers = {
        "channel.share": (first[0], "share"),
        "channel.everyone": (first[1], "share"),
        "channel.excess": (first[0] - first[1], "share"),
    }
    known = {channel.key for channel in CHANNELS}
    numbers |= {f"channel.{key}": (shares.get(key, (0.0, 0.0))[0], "share") for key in known}
    return numbers, tuple(channels[key] for key in ranked)


def name_channel(part: str, link: str = "") -> Channel:
    """Return the channel that a share or a label is about.

    >>> name_channel("the web site", "on").place, name_channel("dealers", "through").place
    ('on the website', 'through dealers')
    """
    words = {word.casefold() for word in split_words(part)}
    found = next((channel for channel in CHANNELS if channel.words & words), None)
    return found or Channel(part, part, f"{link or 'by'} {part}", f"{part[:1].upper()}{part[1:]}", frozenset())


def _key(label: str) -> str:
    words = {word.casefold() for word in split_words(label)}
    return next((channel.key for channel in CHANNELS if channel.words & words), "")
