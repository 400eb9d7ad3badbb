"""Words in the names of columns, in seven languages, without accents."""

from __future__ import annotations

from collections.abc import Iterable

from analysis.sources.names import vocabulary

CUSTOMER = vocabulary(
    "visiteur besucher bezoeker visitante visitatore",
    "customer client user visitor member account household buyer person respondent",
    "customers cust custid cliente clienti clientes kunde kunden kundin kundennummer kundennr kundenid",
    "debitor kunnr klant",
    "klantnummer shopper subscriber patient guest donor borrower passenger usuario utente gebruiker membre mitglied",
    "kaufer comprador acheteur clientnum contact abonnent abonne socio lid debiteur abbonato adherent associado",
    "assinante suscriptor paciente paziente donante doador donatore donateur spender teilnehmer haushalt foyer abonnee",
    "deelnemer utilisateur assinante aderente iscritto tessera acquirente gast huesped hospede ospite passenger rider",
    "player student participant leden uid kto acct acctno requester custno clt kdnr kundenkarte klantenkaart nutzer",
    "benutzer hote huesped passeggero inscrit msisdn policyholder tenant company",
    "codicefiscale dni nif nie cpf cnpj bsn curp cardholder policyholder",
    "versicherungsnehmer schuler alumno eleve aluno alunno leerling pupil insured assure asegurado segurado assicurato",
)
CUSTOMER_STARTS = (
    *("kunden", "klant", "customer", "debitor", "debiteur", "mitgliedsn", "mitgliedern", "abonnentenn", "abonneen"),
    *("spendern", "teilnehmern", "patientenn", "ledenn", "deelnemern"),
)
BUYER = vocabulary(
    "customer customers client cliente clienti clientes kunde kunden kundin kundennummer kundennr",
    "kundenid debitor kunnr",
    "klant klantnummer cust custid custno clt kdnr clientnum shopper buyer kaufer comprador acheteur debiteur",
    "acquirente",
)
FIRMS = vocabulary(
    "ragionesociale raisonsociale razonsocial razaosocial firma firmenname company companyname societe empresa azienda",
    "bedrijf bedrijfsnaam unternehmen entreprise ditta",
)
"""Names of columns of companies, which are the customers where each row is an order."""
STAFF = vocabulary(
    "agent staff seller vendor employee cashier rep salesrep salesperson manager operator owner admin",
    "verkaufer vendeur",
    "vendedor venditore verkoper mitarbeiter employe empleado funcionario dipendente medewerker advisor driver",
    "kassierer kassiererin caissier cajero caixa cassiere kassamedewerker kassier conseiller vendeuse vendedora",
    "berater betreuer asesor gestor consulente adviseur bediener processed handled comercial",
)
NAMES_OF_CUSTOMERS = vocabulary("name email mail e address id hash code key no nr number full nom nombre nome naam")
ORDER = vocabulary(
    "policy police poliza apolice polizza polis vertrag contract contrat contrato contratto claim case",
    "billet recu recibo ricevuta scontrino bon kassenbon bonnummer rechnungsnr factuur factuurnummer facturacion",
    "order invoice receipt booking transaction ticket bestellung bestellnummer bestellnr auftrag",
    "auftragsnummer beleg",
    "sitzung seance sesion sessione sessie sessao subscription abo abonnement suscripcion assinatura abbonamento visit",
    "ticketid besuch visite bezoek gift donation spende claim delivery",
    "belegnummer belnr rechnung rechnungsnummer facture commande pedido factura fatura ordine fattura bestelling",
    "bestelnummer reservation reserva prenotazione purchase sale payment charge checkout session cart",
)
ORDER_STARTS = (
    *("buchung", "bestell", "rechnung", "auftrag", "beleg", "factuur", "bestel", "quittung", "vorgang", "boeking"),
    *("kassenbon", "transakt", "transac", "reserv", "ordine", "facture", "fattura", "factura"),
)
PRIVATE = vocabulary(
    "email mail phone telephone tel mobile fax address street iban ip ssn url firstname lastname fullname",
    "surname forename name comment comments note notes remark remarks feedback message description",
    "passport vorname nachname telefon telefonnummer handy adresse strasse nom prenom telefono direccion correo",
    "apellido apellidos sobrenome endereco telefone indirizzo cognome voornaam achternaam adres telefoon bemerkung",
    "kommentar commentaire comentario commento opmerking",
    "login username nickname nick handle benutzername nutzername pseudo plate numberplate kennzeichen autokennzeichen",
)
NUMBERED_PRIVATE = vocabulary(
    "phone telephone tel mobile fax iban ssn telefon telefonnummer handy telefono telefone telefoon",
    "dni nif nie cpf cnpj rg bsn nino insee siret siren steuerid steuernummer sozialversicherungsnummer svnr",
    "codicefiscale partitaiva nationalid curp rut personalausweis passeport pasaporte passaporto paspoort nir",
)
PROTECTED = vocabulary(
    "age birth born birthday birthdate dob gender sex marital married partner spouse family kid kids kidhome",
    "teen teens teenhome child children dependents dependants ethnicity religion language nationality race",
    "seniorcitizen senior citizen",
    "alter geburtsdatum geburtsjahr geschlecht familienstand kinder religionszugehorigkeit",
    "staatsangehorigkeit sprache",
    "sexe enfants naissance nationalite edad sexo genero nacimiento hijos nacionalidad idade nascimento filhos",
    "nacionalidade eta sesso nascita figli nazionalita leeftijd geslacht geboortedatum kinderen nationaliteit",
)
"""Words of columns that tell age, sex, family, origin or belief: the fairness of segments is checked on them."""
SENSITIVE = vocabulary(
    "religion religious faith belief church confession denomination ethnic ethnicity race racial origin migrant",
    "nationality citizenship asylum politics political party union unionist health illness disease diagnosis disabled",
    "disability medication pregnant pregnancy orientation sexuality gay lesbian debt debts collection insolvent",
    "insolvency bankrupt bankruptcy default delinquent arrears overdue fraud fraudulent convicted conviction criminal",
    "crime prison arrest complaint complaints complain complained complains",
    "religionszugehorigkeit konfession kirche herkunft gewerkschaft krankheit behinderung schwanger schulden inkasso",
    "insolvenz beschwerde vorstrafe gefangnis partei",
    "syndicat maladie handicap dette dettes plainte croyance sante sindicato enfermedad salud deuda queja creencia",
    "saude deficiencia divida reclamacao sindacato malattia salute debito reclamo geloof ziekte gezondheid",
    "schuld klacht afkomst partito rasse caste tribe ivf kosher halal covid",
)
"""Words of columns with answers that nobody should learn of a person: belief, origin, health, debt, crime, complaints.

The special categories of Article 9 and 10 of the General Data Protection Regulation, and what harms in the same way.
"""
SENSITIVE_STARTS = (
    *("religi", "konfession", "kirch", "glauben", "eglise", "iglesia", "igreja", "chiesa", "kerk", "ethni", "etni"),
    *("migra", "herkunft", "asyl", "asile", "asilo", "auslander", "vreemdeling", "immigr", "refuge", "fluchtling"),
    *("partei", "politi", "gewerkschaft", "syndic", "sindic", "sindac", "vakbond"),
    *("krank", "gesundheit", "diagnos", "medika", "malad", "enferm", "malatt", "doenca", "ziekte", "sante"),
    *("hiv", "diabet", "depress", "therap", "psych", "allerg", "blutdruck", "behinder", "schwerbehinder", "pflegegrad"),
    *("handicap", "discapa", "disab", "invalidit", "gehandic", "schwanger", "enceinte", "embaraz", "gravid", "incinta"),
    *("zwanger", "pregnan", "sexual", "sexuell", "homosex", "transgen", "queer", "lgbt"),
    *("schuld", "mahn", "inkasso", "pfandung", "insolv", "konkurs", "schufa", "dette", "surendett", "faillit", "moros"),
    *("impag", "deud", "inadimpl", "pignor", "wanbet", "bankrupt", "deliquen", "delinquen", "dunning"),
    *("straf", "vorbestraf", "verurteil", "gefang", "prison", "condamn", "carcel", "condena", "crimin"),
    *("kriminal", "betrug", "fraud", "convict", "arrest", "detenut", "gevang", "beschwerd", "reklamation", "reclamac"),
    *("plainte", "queja", "queix", "klacht", "lament", "complain", "sozialhilfe", "burgergeld", "hartz", "welfare"),
    *("privatinsolv", "zahlungsverzug", "arretrat", "antecedent", "casellario", "aufenthaltsst", "einwander"),
    *("staatsburger", "bloodtype", "blutgruppe", "addict", "sucht", "smok", "rauch", "fumad", "arbeitslos", "unemploy"),
    *("abortion", "fertility", "alleinerz", "asylum", "krebs"),
)
"""Beginnings of words of such columns, for compounds and other forms."""
MOST_CODES = 10
"""Different numbers up to which they can be codes of a sensitive answer. Chosen for this project."""
SENSITIVE_ANSWERS = vocabulary(
    "catholic protestant evangelical orthodox christian muslim islam jewish jew hindu buddhist sikh atheist agnostic",
    "katholisch evangelisch muslimisch judisch christlich konfessionslos catholique musulman juif chretien athee",
    "catolico musulmano judio cristiano ateo cattolico ebreo katholiek moslim joods gay lesbian",
    "bisexual heterosexual straight homosexual pregnant schwanger enceinte hiv diabetes cancer krebs depression",
    "bankrupt insolvent convicted refugee asylum asylant hetero diabetic diabetiker asthma asthmatic hispanic latino",
    "caucasian republican democrat cdu spd afd muzulmanin katolik ateista ateist kristen evangelico moslem druze",
    "православный мусульманин атеист католик иудей буддист مسلم مسيحي يهودي درزي",
)
"""Answers that tell the same whatever the name of their column."""
DEMOGRAPHIC = PROTECTED | vocabulary(
    "education income salary region country city state province district zip postcode postal zipcode",
    "occupation job profession household location area latitude longitude lat lon lng pincode plz postleitzahl",
    "einkommen gehalt land stadt ort bundesland beruf bildung revenu salaire pays ville departement metier",
    "ingresos salario pais ciudad provincia ocupacion educacion renda cidade estado profissao escolaridade",
    "reddito stipendio paese citta regione professione inkomen salaris stad regio beroep opleiding",
)
COORDINATES = vocabulary("latitude longitude lat lon lng")
POSTAL = vocabulary("pincode pin zip zipcode postcode postal plz postleitzahl cap cep codepostal codigopostal")
CODED = vocabulary(
    "browser type code system systems region zone channel device platform class category group branch",
    "store zip postcode zipcode postal traffic os",
)
MONEY = vocabulary(
    "amount amt mnt price spend spent spending revenue sales income salary cost balance payment paid dollar",
    "dollars usd eur euro gbp fee fees turnover monetary profit budget charges charge expenditure wage",
    "credit debit loan tax vat discount shipping freight subtotal",
    "betrag umsatz preis ausgaben kosten gebuhr einkommen gehalt steuer montant prix depense depenses ttc ht revenu",
    "importe precio gasto gastos ventas ingresos monto valor preco despesa receita renda faturamento",
    "importo prezzo spesa spendensumme erlos erlose dons don donation donado facturacion speso gastado besteed fattura",
    "fare fares tarif tarifa tariffa premium pramie beitrag contributie cotisation cuota quota canone mensualite",
    "mensalidade mensualidad",
    "faturacao facturacao lifetimevalue ltv clv cltv gmv mrr arr arpu aov ca rebate refund refunds reimbursement",
    "chiffredaffaires saldo solde salario stipendio salaris salaire costo coste cout custo",
    "ricavi fatturato reddito bedrag prijs omzet uitgaven besteding inkomen wrbtr dmbtr netwr",
    "gesamtbetrag rechnungsbetrag",
    "nettobetrag bruttobetrag bestellwert warenwert einkaufswert gesamtumsatz jahresumsatz stuckpreis einzelpreis",
)
MONEY_ENDS = (
    "betrag",
    "umsatz",
    "preis",
    "ausgaben",
    "bedrag",
    "omzet",
    "erlos",
    "summe",
    "uitgaven",
    "beitrag",
    "pramie",
    "premie",
    "gebuhr",
    "entgelt",
    "bijdrage",
)
TOTAL_STARTS = ("gesamt", "total", "totaal", "summe", "brutto")
PART_ENDS = ("kosten", "steuer", "gebuhr", "rabatt", "korting")
NO_MONEY = vocabulary(
    "score rating points punkte index level rank grade stars limit puntos pontos punti punten puntuacion puntaje",
    "trend since punktzahl note nota punteggio pontuacao limite plafond",
)
STOCK = vocabulary(
    "balance balances limit rate rates score credit loan salary income rating saldo solde kontostand kreditlimit",
    "limite",
    "plafond einkommen gehalt salaire salario stipendio salaris renta renda reddito inkomen revenu ingresos bestand",
    "inventory inventar stock",
)
"""Words of money that is had, earned or lent, not paid in a purchase."""
AMOUNT = MONEY | vocabulary(
    "value total sum wert summe gesamt totale totaal valore brutto",
)
WHOLE_AMOUNT = vocabulary(
    "total grand gross revenue sales turnover umsatz gesamtbetrag gesamtsumme gesamtumsatz gesamt brutto",
    "bruttobetrag ttc",
    "ventas receita faturamento ricavi fatturato omzet totale totaal totalprice ordertotal",
    "rechnungsbetrag bestellwert",
)
ONE_ITEM = vocabulary(
    "unit unitprice each unitario unitaria unitaire stuckpreis einzelpreis stuksprijs eenheidsprijs unidad unidade pu",
    "prezzounitario prixunitaire preciounitario precounitario stuck stuk unita",
)
PRICE = vocabulary("price preis prix precio preco prezzo prijs") | ONE_ITEM
PART_AMOUNT = vocabulary("subtotal price preis prix precio preco prezzo prijs net netto ht netwr income")
OTHER_AMOUNT = vocabulary(
    "shipping freight tax vat mwst tva iva btw discount rabatt remise descuento desconto sconto korting",
    "cost costs kosten refund refunds reimbursement rebate erstattung gutschrift remboursement reembolso rimborso",
    "cout costo custo profit margin tip unit stuckpreis einzelpreis balance limit rate score",
    "rating cogs versand",
    "steuer porto gewinn versandkosten livraison frete envio spedizione verzending credit debit loan salary handling",
    "unitprice average avg",
)
NO_AMOUNT = vocabulary(
    "age alter edad idade eta leeftijd year jahr annee ano anno jaar month hour hours heure stunde duration dauer",
    "duree",
    "duracion duracao durata duur minutes seconds days tage jours dias giorni dagen latitude longitude lat lon lng",
    "weight",
    "gewicht poids peso gewicht distance logins sessions pageviews page views clicks kilometer km temperature nps",
    "likes kwh kg mb gb verbrauch consumption consommation consumo verbruik liter litre litres strecke",
    "quantity qty menge quantite cantidad quantidade quantita aantal units items stuckzahl pieces visits",
)
"""Words of numbers that stand beside dates and are no amounts of money."""
QUANTITY = vocabulary(
    "quantity qty menge anzahl quantite cantidad quantidade quantita aantal units items qte stuckzahl pezzi stuck anz",
    "uds unds cant qtde qtd pieces pcs stk",
)
VALUE = vocabulary(
    "warenwert einkaufswert",
    "lifetimevalue customervalue kundenwert valeurclient valorcliente valorecliente klantwaarde cltv",
    "spend spent spending amt revenue sales turnover monetary clv ltv mnt expenditure amount purchase purchases total",
    "umsatz ausgaben gesamtumsatz jahresumsatz depense depenses montant ca ventas gasto gastos monto",
    "importe receita despesa",
    "faturamento gastos ricavi fatturato spesa omzet uitgaven besteding gesamtbetrag charges payments",
    "chiffredaffaires umsatze gesamtumsatze erlos erlose spendensumme bestellsumme facturacion facturado depensetotale",
    "faturacao facturacao gmv mrr arr sales netsales grosssales nettoumsatz bruttoumsatz jaaromzet",
    "gastototal receitatotal spesatotale speso gastado gasta compradototal besteed donations donated dons donado doado",
)
TAX = vocabulary("tax taxes vat mwst ust tva iva btw gst")
WITH_OR_WITHOUT = vocabulary(
    "incl inkl including included inclusive inclus incluido incluida incluso compreso inclusa inclusief con com avec",
    "mit",
    "excl exkl excluding exclusive hors sin sem senza ohne zonder without before after vor nach exclusief esclusa",
    "escluso",
)
"""Words that make of a tax what the amount is with or without."""
NO_VALUE = vocabulary(
    "limit price unit score balance loan tax salary income credit debit cost profit discount fee fees",
    "aov arpu refund refunds refunded returned returns rebate erstattung erstattungen gutschrift remboursement",
    "remboursements reembolso reembolsos rimborso rimborsi terugbetaling estorno devolucion devolucao reimbursement",
    "rate rating budget profit margin gewinn marge margen margem margine winst points punkte puntos pontos punti",
    "punten",
    "costo costi coste costes cout couts custo custos kosten costs saldo solde plafond limite kreditlimit kontostand",
    "lohn gehalt salaire salario stipendio salaris einzelpreis stuckpreis darlehen pret prestamo emprestimo prestito",
    "avg average mean moyen moyenne panier mittel durchschnitt promedio medio media gemiddeld gemiddelde percent pct",
    "descuento desconto sconto korting rabatt remise shippingcost versand versandkosten mwst tva iva btw",
    "lening hypothek hypotheque hipoteca mutuo mortgage deuda dette divida debito schuld schulden",
    "preis prix precio preco prezzo prijs steuer kredit einkommen wage shipping",
)
COUNT = vocabulary(
    "num n nr count counts number quantity qty visits purchases orders clicks sessions items units kids",
    "children kidhome teenhome pages frequency times calls",
    "anzahl anz menge bestellungen besuche kaufe nombre nb quantite commandes visites achats cantidad",
    "compras pedidos",
    "visitas quantidade quantita ordini acquisti visite aantal bestellingen bezoeken aankopen belege",
)
SHARE = vocabulary(
    "rate rates share ratio pct percent percentage proportion anteil quote taux part porcentaje tasa taxa",
    "tasso aandeel",
)
EVENT = vocabulary(
    "event action page url click path activity screen referrer",
)
MODEL = vocabulary(
    "cluster clusters segment segmentation rfm predicted prediction propensity probability decile",
    "quintile bayes logit",
    "kans chance likelihood neigung affinitat affinity",
    "kmeans dbscan hdbscan rscore fscore mscore recencyscore frequencyscore monetaryscore rfmscore",
    "classifier proba pred wahrscheinlichkeit probabilite probabilidad probabilidade probabilita waarschijnlijkheid",
    "vorhersage prognose prediction prediccion previsao previsione voorspelling forecast churnscore leadscore predite",
)
DEMOGRAPHIC_ENDS = ("einkommen", "gehalt", "inkomen", "salaris", "geschlecht", "familienstand")
"""Endings of compound words that tell of the person."""
MODEL_ENDS = ("wahrscheinlichkeit", "waarschijnlijkheid", "prognose", "vorhersage", "segment", "cluster")
STATUS = vocabulary(
    "status state zustand bestellstatus auftragsstatus estado statut stato stand orderstatus situacao situacion etat",
    "zahlungsstatus paymentstatus orderstatus bestelstatus betaalstatus",
)
SUBSCRIPTION = vocabulary(
    "subscription subscriptions plan mrr arr abo abonnement tarif vertrag contract contrat contrato contratto",
    "membership suscripcion assinatura abbonamento mitgliedschaft renewal trial policy police polizza poliza polis",
    "lease leasing licence license lizenz licencia licenza licentie forfait subs abonelik vertrage contratti contratos",
)
"""Words of columns about contracts: one that was cancelled was used before."""
SUBSCRIPTION_STARTS = (
    "polic",
    "polis",
    "versicherungsn",
    "verzekering",
    "vertrag",
    "abonn",
    "abbonam",
    "suscrip",
    "assinat",
    "subscri",
    "contract",
    "contrat",
    "mitgliedsch",
)
START = vocabulary(
    "start started starts startdate begin begins began beginn commenced effective activated activation signed",
    "from since",
    "debut inicio inizio aanvang ingang ingangsdatum begindatum startdatum abobeginn abschluss abschlussdatum von",
    "depuis",
    "souscription alta decorrenza attivazione sottoscrizione desde inception created",
)
START_ENDS = ("beginn", "start", "begindatum", "startdatum", "abschluss", "startdate")
END = vocabulary(
    "end ended ends enddate enddatum einddatum einde eind ende fin fine fim termino cancelled canceled",
    "cancellation cancel",
    "expiry expires expiration expired until to terminated termination closed churned laufzeitende vertragsende bis",
    "kundigung gekundigt kundigungsdatum resiliation resilie baja cancelacion vencimiento cancelamento rescisao",
    "echeance",
    "vencimento scadenza disdetta cessazione opzegging opgezegd opzegdatum tot hasta",
)
END_ENDS = ("ende", "ablauf", "ablaufdatum", "vervaldatum", "einde", "einddatum", "kundigung", "enddatum", "enddate")
"""Words of dates on which a contract begins and ends, and endings of such words."""
PLAN = vocabulary(
    "plan tier product package paket tarif tarifa tariffa abo abonnement formule forfait plano piano pacchetto pakket",
    "produkt producto produto produit prodotto rate level type typ membership",
)
MONTHLY_STARTS = ("monat", "month", "mensu", "mensi", "mensa", "maand", "mrr")
YEARLY_STARTS = ("jahres", "jahrlich", "annua", "annue", "anua", "jaar", "year", "arr")
"""Beginnings of words of prices that are due each month or year."""
PAGES = vocabulary(
    "pages pageviews views hits screens clicks clics klicks seiten seitenaufrufe aufrufe pagine paginas vues",
    "vistas visualizzazioni visualizacoes weergaven paginaweergaven pagesviewed pageviewcount actions page",
)
SESSION_STARTS = ("session", "sitzung", "seance", "sesion", "sessao", "sessie", "visit", "besuch", "bezoek", "sessoes")
"""Words of the number of pages of a session, and beginnings of words for sessions."""
PERIOD = vocabulary(
    "month monat mois mes mese maand period periode periodo yearmonth yyyymm quarter quartal trimestre kwartaal year",
    "jahr annee ano anno jaar stichtag snapshot reporting asof reference stand",
)
PERIOD_ENDS = ("monat", "quartal", "stichtag", "maand", "jahr")
USED = vocabulary(
    "kwh minutes minuten minuti minutos data mb gb km kilometer verbrauch consumption consommation consumo verbruik",
    "usage logins sessions pageviews visits hours stunden heures horas ore uren litres liters liter calls messages sms",
    "points earned claims tickets calls nights trips downloads streams plays rides checkins deposits withdrawals",
    "anrufe",
    "einzahlungen kurse appels chamadas llamadas chiamate gesprekken workouts accessi accesos acessos connexions",
)
"""Words of quantities that add up over periods."""
RECENT = vocabulary("order purchase invoice transaction booking sale event visit bestell achat commande compra pedido")
DATE_STARTS = (
    "bestell",
    "kauf",
    "rechnung",
    "auftrag",
    "bestel",
    "aankoop",
    "buch",
    "commande",
    "compra",
    "pedido",
    "acquist",
)
NOT_WHEN = vocabulary(
    "birth born dob birthday birthdate signup sign registered registration joined join modified updated",
    "update last change",
    "changed shipped ship delivery delivered due expiry expires expiration end until warranty valid",
    "geburtsdatum anmeldung",
    "registrierung lieferdatum anderung inscription livraison naissance registro alta nacimiento entrega cadastro",
    "iscrizione nascita consegna inschrijving geboortedatum levering since member created",
)


PEOPLE = {
    "members": vocabulary(
        "lidnr lidnummer ledennummer ledennr",
        "member memberid mitglied mitgliedsnummer membre socio adherent associado aderente iscritto lid leden",
    ),
    "accounts": vocabulary("account accountid konto kontonummer compte cuenta conta"),
    "respondents": vocabulary("respondent respondentid responseid respid"),
    "patients": vocabulary("patient patientid paziente paciente"),
    "borrowers": vocabulary("loan loanid borrower borrowerid kreditnehmer emprunteur"),
    "subscribers": vocabulary("subscriber subscriberid abonnent abonne abbonato abonnee suscriptor assinante"),
    "users": vocabulary("user userid utente gebruiker usuario utilisateur nutzer benutzer"),
    "visitors": vocabulary("visitor visitorid visiteur besucher bezoeker visitante visitatore"),
    "guests": vocabulary("guest guestid"),
    "donors": vocabulary("donor donorid spender donateur donante doador donatore"),
    "households": vocabulary("household householdid haushalt foyer hogar agregado"),
    "invoices": vocabulary(
        "invoice invoiceid invoiceno rechnung rechnungsnummer facture factura fattura fatura factuur"
    ),
    "receipts": vocabulary("receipt receiptid beleg belegnummer bon scontrino recibo"),
    "bookings": vocabulary("booking bookingid reservation reserva prenotazione"),
    "orders": vocabulary("order orderid bestellnummer bestellung auftragsnummer commande pedido ordine bestelnummer"),
    "students": vocabulary("student studentid schuler alumno alumna eleve etudiant studente aluno leerling estudiante"),
    "employees": vocabulary("employee employeeid mitarbeiter employe empleado dipendente medewerker funcionario"),
    "players": vocabulary("player playerid spieler joueur jugador giocatore jogador speler"),
    "companies": vocabulary("company companyid unternehmen entreprise empresa azienda bedrijf"),
    "passengers": vocabulary("passenger passengerid passagier passager pasajero passeggero passageiro fahrgast"),
    "tenants": vocabulary("tenant tenantid mieter locataire inquilino huurder"),
    "policyholders": vocabulary("policyholder versicherungsnehmer tomador assure segurado asegurado assicurato"),
    "stores": vocabulary("store storeid filiale magasin tienda negozio winkel loja"),
    "devices": vocabulary("device deviceid"),
    "leads": vocabulary("lead leadid"),
    "participants": vocabulary("participant teilnehmer deelnemer partecipante participante"),
}
"""Plural nouns for rows and customers, by the words of the column that names them."""
COMPOUND = vocabulary(
    "leden mitglied patient abonnee spender abonnent teilnehmer haushalt rechnung kreditnehmer household subscriber"
)
"""First parts of compound words such as Spendernummer."""


def names_sensitive(words: Iterable[str]) -> bool:
    """Return whether words of a name say that its answers are sensitive.

    >>> names_sensitive({"krankheitstage"}), names_sensitive({"visits"})
    (True, False)
    """
    return any(word in SENSITIVE or word.startswith(SENSITIVE_STARTS) for word in words)
