"""
What columns of direct identifiers are called, in eight languages, and their false friends.

What stands in a column belongs in :mod:`crm_analysis.tables.privacy.identifiers`.
"""

from __future__ import annotations

import re
import unicodedata


def _set_of(text: str) -> frozenset[str]:
    """Return the words of a list that reads as one."""
    return frozenset(text.split())


_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")

# Found anywhere in a name written without separators; the first kind that fits counts.
_STEMS: dict[str, tuple[str, ...]] = {
    "e-mail": ("email", "courriel", "correoelectronico", "邮箱", "邮件", "郵箱", "電郵", "メール"),
    "ip": ("ipaddress", "ipaddr", "ipadres", "macaddress", "ip地址"),
    "iban": ("kontonummer", "bankaccountn", "numerodecuenta", "银行账号"),
    "card": (
        *("creditcard", "cardnumber", "cardno", "kreditkarte", "kartennummer", "ccnum", "tarjetadecredito"),
        *("numerotarjeta", "cartebancaire", "cartadicredito", "信用卡", "银行卡", "卡号"),
    ),
    "national id": (
        *(
            "socialsecurity",
            "sozialversicherungs",
            "steuerid",
            "steuernummer",
            "taxid",
            "taxnumber",
            "nationalid",
            "passport",
        ),
        *(
            "nationalinsurance",
            "reisepass",
            "passeport",
            "pasaporte",
            "passaporte",
            "passaporto",
            "paspoort",
            "ausweis",
        ),
        *("idcard", "identitycard", "driverlicen", "driverslicen", "drivinglicen", "fuehrerschein", "fuhrerschein"),
        *("codicefiscale", "personnummer", "burgerservice", "身份证", "身分證", "护照", "社保号"),
    ),
    "birth date": (
        *("birth", "geburt", "naissance", "nacimiento", "nascita", "nascimento", "geboorte", "gebdat"),
        *("生日", "出生", "生年月日"),
    ),
    "phone": (
        *(
            "phone",
            "telefon",
            "telefoon",
            "rufnummer",
            "handynummer",
            "handynr",
            "mobilnummer",
            "mobilenumber",
            "mobileno",
        ),
        *("cellnumber", "contactnumber", "contactno", "whatsapp", "telemovel", "cellulare", "celular", "msisdn"),
        *("电话", "電話", "手机", "手機", "联系方式"),
    ),
    "address": (
        *("address", "adress", "anschrift", "direccion", "indirizzo", "endereco", "street", "strasse", "hausnummer"),
        *("housenumber", "huisnummer", "domicilio", "地址", "住址", "住所"),
    ),
    "user name": ("username", "benutzername", "nutzername", "gebruikersnaam", "nombredeusuario", "用户名"),
    "name": (
        *("firstname", "lastname", "fullname", "surname", "forename", "givenname", "familyname", "vorname", "nachname"),
        *(
            "apellido",
            "cognome",
            "sobrenome",
            "prenom",
            "voornaam",
            "achternaam",
            "geburtsname",
            "birthname",
            "nickname",
        ),
        *("ansprechpartner", "contactperson", "kontaktperson", "requester"),
        *("姓名", "名字", "氏名", "昵称", "联系人", "收货人", "客户名", "顾客名", "会员名", "客戶名"),
    ),
}
_WORDS: dict[str, frozenset[str]] = {
    "e-mail": frozenset({"mail", "emails", "correo"}),
    "ip": frozenset({"ip", "ipv4", "ipv6"}),
    "iban": frozenset({"iban"}),
    "national id": frozenset({"ssn", "nino", "nif", "dni", "cpf", "bsn", "svnr", "curp", "pesel"}),
    "birth date": frozenset({"dob", "bday", "born"}),
    "phone": frozenset({"tel", "fax", "gsm"}),
    "address": frozenset({"addr", "calle", "rue", "rua", "straat", "adres", "morada", "domicile"}),
    "user name": frozenset({"login"}),
    "name": frozenset({"name", "names", "nom", "nombre", "nome", "naam", "姓", "名"}),
}
# Words of many meanings: a phone only by themselves, or beside a person or a number.
_MOBILES = frozenset({"mobile", "mobil", "movil", "handy", "cell"})
_NUMBERS = frozenset({"number", "no", "nr", "num", "numero", "nummer", "id", "1", "2", "3"})
_PARTICLES = frozenset({"of", "the", "de", "du", "des", "del", "della", "do", "da", "von", "van", "der", "la", "le"})

_PERSONS = _set_of(
    "customer cust client cliente kunde kunden klant member mitglied guest patient person persona contact kontakt buyer "
    "kaeufer kaufer comprador acheteur payer recipient empfaenger empfanger destinatario owner holder inhaber employee "
    "mitarbeiter agent rep representative salesperson driver caller sender subscriber participant user usuario first last "
    "full given family middle maiden nick billing shipping delivery invoice cardholder home private work primary secondary"
)
_THINGS = _set_of(
    "product produkt producto produit prodotto produto prod item artikel article articulo articolo artigo sku lineitem opportunity brand marke "
    "marca marque merk category kategorie categoria categorie cat subcategory dept department abteilung class subclass "
    "commodity group gruppe grupo groupe gruppo groep segment cluster campaign kampagne campana campagne campanha "
    "campagna promo promotion coupon offer angebot deal store shop filial laden tienda magasin negozio loja winkel branch "
    "outlet market markt warehouse lager plant site website web page url domain host server file datei fichero fichier "
    "arquivo path folder table column field feature attribute event session screen app application device browser os model "
    "plan tariff tarif contract service program programme project projekt proyecto projet team queue role job position "
    "title course region city stadt ciudad ville citta cidade stad country land pais pays paese state estado bundesland "
    "county district province provinz provincia area territory zone place location ort currency payment method channel "
    "kanal canal source medium supplier vendor lieferant proveedor fournisseur fornecedor fornitore manufacturer "
    "hersteller carrier airline hotel restaurant color colour size unit metric month weekday day holiday season quarter "
    "type typ tipo code status level tier process rule template subject topic symptom cause reason list tag label version "
    "variable parameter config schema database db node network task workflow report set zip postal postcode plz cp cap "
    "postleitzahl"
)
_STATES = _set_of(
    "opt optin optout consent permission allowed einwilligung erlaubt open opens opened click clicks clicked sent bounce "
    "bounced received count counts cnt call calls lines has have is verified valid validated flag yn status subscribed "
    "unsubscribed subscription newsletter template subject domain provider minutes usage duration score rate ratio share "
    "freq frequency type preferred preference pref quality length changed changes spam cost revenue spend sales orders "
    "purchases support response responses total avg mean sum max min limit balance days hours hash marketing"
)
_COUNTS = frozenset({"n", "num", "nb", "anzahl", "numberof", "cantidad", "nombrede"})
_NOT_A_DATE = re.compile(
    r"year|jahr|annee|jaar|anno|place|ort$|plaats|country|land|lieu|luogo|lugar|city|weight|地|年$|年份"
)
_FALSE_FRIENDS = re.compile(
    r"^(?:micro|head|ear|smart|i|saxo|mega|xylo|gramo)phones?$|^streetwear$|^addressable$|^addressed$"
)
_CHINESE_THINGS = re.compile(r"产品|商品|品牌|类别|品类|店|城市|活动|团队|文件|数量|次数|是否")


def words(name: str) -> list[str]:
    """
    Return the words of a column's name.

    Parameters
    ----------
    name : str
        In any spelling.

    Returns
    -------
    list of str
        Lower case, without accents.

    Examples
    --------
    >>> words("CustomerE-Mail"), words("Téléphone_2")
    (['customer', 'e', 'mail'], ['telephone', '2'])
    """
    spread = _BORDER.sub(" ", unicodedata.normalize("NFKC", name))
    plain = "".join(c for c in unicodedata.normalize("NFKD", spread.casefold()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", unicodedata.normalize("NFC", plain))


def kind_by_name(name: str) -> str | None:
    """
    Return the kind of direct identifier that a column's name promises.

    Parameters
    ----------
    name : str
        A column.

    Returns
    -------
    str or None
        None: nothing about a person's identity. Cities, regions, countries and postcodes, the names and addresses of
        products, shops and teams, and what is said about an identifier (``email_opt_in``) are none.

    Examples
    --------
    >>> [kind_by_name(name) for name in ("E-Mail", "Nachname", "geburtsdatum", "product_name", "email_opens")]
    ['e-mail', 'name', 'birth date', None, None]
    """
    found = [word for word in words(name) if word not in _PARTICLES and not _FALSE_FRIENDS.search(word)]
    joined = "".join(found)
    if not found or _is_about_one(found):
        return None
    for kind, stems in _STEMS.items():
        if any(stem in joined for stem in stems) or _WORDS.get(kind, frozenset()) & set(found):
            return _confirmed(kind, found, joined)
    if _MOBILES & set(found) and set(found) <= _MOBILES | _NUMBERS | _PERSONS:
        return "phone"
    return "name" if any(_is_compound_name(word) for word in found) else None


def given_or_family(name: str) -> tuple[str, str] | None:
    """
    Return whether a column holds given or family names, and what its name says besides.

    Parameters
    ----------
    name : str
        A column of kind ``name``.

    Returns
    -------
    tuple of (str, str) or None
        ``given`` or ``family``, and the rest of the name, by which two columns belong together; None: whole names, or
        neither.

    Examples
    --------
    >>> given_or_family("billing_first_name"), given_or_family("BillingSurname"), given_or_family("Kundenname")
    (('given', 'billing'), ('family', 'billing'), None)
    """
    joined = "".join(words(name))
    for part, stems in _PARTS.items():
        for stem in stems:
            if stem in joined:
                return part, joined.replace(stem, "", 1)
    return None


_PARTS: dict[str, tuple[str, ...]] = {
    "given": ("firstname", "givenname", "forename", "vorname", "prenom", "voornaam", "primeironome", "first"),
    "family": (
        *(
            "lastname",
            "surname",
            "familyname",
            "nachname",
            "familienname",
            "apellidos",
            "apellido",
            "cognome",
            "sobrenome",
        ),
        *("achternaam", "nomdefamille", "last"),
    ),
}


def _is_about_one(found: list[str]) -> bool:
    """Return whether a name says something about identifiers: how many, whether, when allowed."""
    return bool(_STATES & set(found)) or (len(found) > 1 and found[0] in _COUNTS)


def _confirmed(kind: str, found: list[str], joined: str) -> str | None:
    """Return the kind, unless the words around it make it a thing's or a part that names nobody."""
    if _CHINESE_THINGS.search(joined):
        return None
    if kind == "birth date":
        if joined.endswith("name"):
            return "name"
        return None if _NOT_A_DATE.search(joined) else kind
    if kind in {"name", "user name"}:
        return kind if _is_of_a_person(found) else None
    if kind in {"phone", "address"} and "id" in found:
        return None
    return None if _THINGS & set(found) else kind


def _is_of_a_person(found: list[str]) -> bool:
    """Return whether the word beside "name" is a person, or no thing is mentioned at all."""
    at = next((i for i, word in enumerate(found) if word in _WORDS["name"] or word.endswith(("name", "naam"))), 0)
    beside = {*found[max(0, at - 1) : at], *found[at + 1 : at + 2]}
    if beside & _PERSONS:
        return True
    return not _THINGS & set(found) and not any(_is_thing_compound(word) for word in found)


def _is_compound_name(word: str) -> bool:
    """Return whether a word such as "kundenname" is a name, and not a product's or a file's."""
    return len(word) > len("name") and word.endswith(("name", "naam")) and not _is_thing_compound(word)


def _is_thing_compound(word: str) -> bool:
    """Return whether a word such as "produktname" or "filename" begins with a thing."""
    before = re.sub(r"(?:name|naam)s?$", "", word)
    if before == word:
        return False
    return before in _THINGS or before == "re" or any(before.startswith(thing) for thing in _THINGS if len(thing) > 3)
