"""Encodings that differ in too few bytes for a general rule: Central European and simplified Chinese."""

from __future__ import annotations

import re

BLOCK = 1 << 22

_CHINESE = (
    *(
        "用户",
        "客户",
        "订单",
        "编号",
        "金额",
        "日期",
        "时间",
        "数量",
        "城市",
        "性别",
        "年龄",
        "姓名",
        "消费",
        "会员",
        "商品",
        "次数",
    ),
    *("收入", "类型", "地区", "省份", "购买"),
)
"""Words of headers by which simplified Chinese is distinguished from Korean, whose bytes are the same."""


def recognise_chinese(data: bytes) -> str | None:
    """Return gb18030 where bytes are simplified Chinese: nearly all signs are among the common ones of GB 2312."""
    pairs = re.findall(rb"[\x81-\xfe][\x40-\xfe]", data[:BLOCK])
    common = sum(0xB0 <= pair[0] <= 0xD7 and pair[1] >= 0xA1 for pair in pairs)
    if not pairs or common < 0.9 * len(pairs):
        return None
    try:
        text = data[:BLOCK].decode("gb18030")
    except UnicodeError:
        return None
    return "gb18030" if sum(word in text for word in _CHINESE) >= 1 else None


def is_central_european(data: bytes) -> bool:
    """Return whether letters of Central Europe stand where Western European would have signs beside letters."""
    try:
        central = data[:BLOCK].decode("cp1250")
    except UnicodeError:
        return False
    western = data[:BLOCK].decode("cp1252", errors="replace")
    signs_after = r"[A-Za-z][\u00a1-\u00bf\u00d7\u00f7\ufffd\u0178]"
    signs_before = r"[\u00a3\u00a5\u00af\u00b3\u00b9\u00bf\u0152\u0153\u008f\u009f][A-Za-z]"
    odd = f"{signs_after}|{signs_before}"
    words = set(re.findall(r"\S+", western))
    strange = sum(re.search(odd, word) is not None for word in words if not word.isascii())
    whole = set(re.findall(r"\S+", central))
    signs = r"[A-Za-z][\u00a1-\u00a9\u00ab-\u00b2\u00b4-\u00b8\u00bb\u00bd]"
    kept = any(re.search(signs, word) for word in whole)
    return strange >= 2 and not kept
