"""
The words by which people name columns and files, in English, German, French, Spanish and Chinese.

Which column is which belongs in :mod:`crm_analysis.tables.drafting.matching`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache

_CUSTOMER = """customer id | customer no | customer number | customer nr | customer key | customer code | customer | cust id | custid | cust no
    | client id | client no | client number | client code | client | account id | account no | account number | household id | household key
    | member id | member no | user id | caller id | caller | buyer id | consumer id | shopper id | visitor id | contact id | party id | partner id
    | customer unique id | requester id | requested for | subscriber id | guest id | uid
    | kundennummer | kunden nr | kundennr | kunden id | kunde | kunde nr | debitor | debitorennummer | debitor nr | mitgliedsnummer | auftraggeber
    | geschaeftspartner | numero client | id client | code client | no client | num client | identifiant client | acheteur
    | id cliente | numero cliente | codigo cliente | cliente | nro cliente | num cliente | id usuario | id socio
    | 客户编号 | 客户号 | 客户id | 客户代码 | 客户 | 会员编号 | 会员号 | 会员id | 会员卡号 | 用户id | 用户编号 | 顾客编号 | 买家id | 顾客id"""
_CATEGORY = """category | product category | department | product group | item category | product type | class | commodity
    | kategorie | warengruppe | produktgruppe | artikelgruppe | sparte | categorie | famille | rayon | categoria | familia | rubro
    | 类别 | 分类 | 品类 | 商品类别 | 产品类别 | 类目 | 商品分类"""
_CHANNEL = """channel | sales channel | contact type | contact channel | contact method | source channel | medium | origin | order channel
    | kanal | vertriebskanal | kontaktart | vertriebsweg | canal | canal de vente | canal de venta | via | 渠道 | 销售渠道 | 来源渠道 | 联系方式类型"""

_WORDS: Mapping[str, Mapping[str, str]] = {
    "customers": {
        "customer_id": _CUSTOMER + " | id | nummer | 编号",
        "signed_up_at": """signed up at | signup date | sign up date | registered at | registration date | register date | created at | created
            | creation date | member since | customer since | join date | joined at | joined | date joined | first seen | enrollment date
            | kunde seit | anmeldedatum | registriert am | registrierungsdatum | eintrittsdatum | angelegt am | erstellt am | anlagedatum
            | date inscription | client depuis | date creation | fecha alta | fecha registro | fecha creacion | cliente desde
            | 注册时间 | 注册日期 | 开户日期 | 入会时间 | 入会日期 | 创建时间""",
        "region": """region | state | country | province | county | territory | area | customer state | location | land | bundesland | gebiet
            | pays | departement | pais | provincia | estado | city | town | stadt | ort | ville | ciudad | 地区 | 区域 | 城市 | 省份 | 省 | 国家 | 所在地区""",
    },
    "transactions": {
        "customer_id": _CUSTOMER,
        "occurred_at": """occurred at | invoice date | invoicedate | order date | purchase date | purchased at | transaction date | transaction time
            | transaction timestamp | order time | sale date | sales date | booking date | posting date | payment date | paid at | date time | datetime
            | timestamp | date | time | order purchase timestamp | created at | bought at | order created at | receipt date | day
            | datum | rechnungsdatum | bestelldatum | kaufdatum | belegdatum | buchungsdatum | auftragsdatum | verkaufsdatum | bestellt am | zeitpunkt
            | date facture | date commande | date achat | date de commande | date de facture | date vente | fecha | fecha pedido | fecha compra
            | fecha factura | fecha de pedido | fecha de compra | fecha venta
            | 下单时间 | 下单日期 | 订单时间 | 订单日期 | 交易时间 | 交易日期 | 购买时间 | 购买日期 | 消费时间 | 消费日期 | 支付时间 | 付款时间 | 发票日期 | 日期 | 时间""",
        "amount": """amount | total | line total | total amount | sales value | sales amount | sales | revenue | net amount | gross amount | value
            | order value | order total | total price | line amount | spend | payment value | paid | turnover | monetary value | extended price | grand total | gross | net | subtotal
            | betrag | netto | brutto | umsatz | summe | gesamtbetrag | gesamtpreis | nettobetrag | bruttobetrag | warenwert | wert | nettoumsatz | positionsbetrag
            | zeilenbetrag | montant | montant total | total ttc | total ht | chiffre affaires | importe | monto | importe total | valor | ingresos
            | 金额 | 总金额 | 订单金额 | 消费金额 | 交易金额 | 支付金额 | 实付金额 | 销售额 | 总价 | 应付金额 | 付款金额""",
        "quantity": """quantity | qty | units | count | number of units | items | pieces | menge | anzahl | stueck | stueckzahl | stk | anz
            | quantite | qte | nombre | cantidad | unidades | cant | 数量 | 件数 | 购买数量""",
        "unit_price": """unit price | unitprice | price per unit | price | item price | lineitem price | price each | list price | einzelpreis | stueckpreis | preis
            | preis pro stueck | prix unitaire | prix | pu | precio unitario | precio | 单价 | 价格 | 商品单价""",
        "transaction_id": """transaction id | transaction no | invoice | invoice no | invoice number | invoiceno | invoice id | order id | order no
            | order number | basket id | receipt | receipt no | receipt id | receipt number | sale id | purchase id | document no | bill no | payment id
            | rechnungsnummer | rechnung | rechnungs nr | bestellnummer | bestell nr | auftragsnummer | auftrags nr | belegnummer | beleg nr | bon
            | bonnummer | bestellung | numero facture | numero commande | no facture | no commande | id commande | facture | commande
            | numero factura | numero pedido | id pedido | pedido | factura | folio
            | 订单号 | 订单编号 | 交易号 | 流水号 | 发票号 | 发票号码 | 订单id | 单号 | 交易编号""",
        "product_id": """product id | product no | product code | product number | product key | stock code | stockcode | sku | item id | item no
            | item number | item code | article | article no | article number | product | item | ean | gtin | upc | artikelnummer | artikel nr | artikel
            | produktnummer | materialnummer | produkt | produkt id | reference | code produit | produit | id produit | ref article | id producto | producto
            | codigo producto | codigo articulo | articulo | referencia | 商品编号 | 商品编码 | 产品编号 | 货号 | 商品id | 商品代码 | 产品id | 商品""",
        "category": _CATEGORY,
        "channel": _CHANNEL + " | store | shop | filiale | magasin | tienda | 门店",
        "discount": """discount | discount amount | rebate | markdown | coupon discount | rabatt | nachlass | rabattbetrag | remise | rabais | reduction
            | descuento | rebaja | bonificacion | 折扣 | 优惠 | 优惠金额 | 折扣金额""",
    },
    "service_cases": {
        "case_id": """case id | case no | case number | case | ticket id | ticket no | ticket number | ticket | incident id | incident number | incident
            | number | request id | request number | complaint id | issue id | inquiry id | sr number | service request id | call id | interaction id | id
            | vorgangsnummer | fallnummer | ticketnummer | fall id | vorgang | vorgangs nr | stoerungsnummer | anfragenummer | anfrage id | nummer
            | beschwerdenummer | numero ticket | numero dossier | numero incident | id ticket | numero caso | id caso | numero incidencia | id incidencia
            | 工单号 | 工单编号 | 案件编号 | 服务单号 | 投诉编号 | 工单id | 单号""",
        "customer_id": _CUSTOMER,
        "opened_at": """opened at | open date | opened | opening date | opened on | created at | created | created on | sys created on | sys created at
            | creation date | date opened | open time | start date | reported at | reported on | received at | submitted at | date received | case date
            | ticket date | erstellt am | eroeffnet am | eroeffnet | angelegt am | eingangsdatum | eingang | erstelldatum | gemeldet am | meldedatum
            | date ouverture | ouvert le | date creation | cree le | fecha apertura | fecha creacion | abierto el | creado el
            | 创建时间 | 创建日期 | 提交时间 | 受理时间 | 报修时间 | 开单时间 | 投诉时间""",
        "resolved_at": """resolved at | resolved | resolution date | resolved on | solved at | closed at | closed | closed on | close date | date closed
            | date resolved | closing date | end date | completed at | finished at | geloest am | geschlossen am | abgeschlossen am | erledigt am | loesungsdatum
            | date resolution | date cloture | resolu le | ferme le | fecha resolucion | fecha cierre | resuelto el | cerrado el
            | 解决时间 | 完成时间 | 关闭时间 | 解决日期 | 办结时间 | 结单时间""",
        "first_response_at": """first response at | first response | first reply at | first reply | first responded at | responded at | first answer
            | first contact at | response date | erste antwort | erstantwort | erste reaktion | beantwortet am | premiere reponse | primera respuesta
            | 首次响应时间 | 首次回复时间 | 响应时间 | 首响时间""",
        "due_at": """due at | due date | due | deadline | sla due | sla deadline | promised at | target date | expected at | faellig am | frist | faelligkeit
            | faelligkeitsdatum | zieltermin | echeance | date echeance | date limite | fecha limite | vencimiento | 截止时间 | 到期时间 | 承诺时间""",
        "sla_met": """sla met | made sla | sla | within sla | in sla | sla achieved | sla ok | on time | sla eingehalten | frist eingehalten
            | sla respecte | sla cumplido | 是否达标 | sla达标 | 是否按时""",
        "satisfaction": """satisfaction | csat | csat score | satisfaction score | satisfaction rating | rating | score | stars | survey score | survey rating
            | customer rating | review score | zufriedenheit | bewertung | note | note satisfaction | satisfaccion | calificacion | valoracion
            | 满意度 | 评分 | 评价 | 满意度评分""",
        "category": _CATEGORY
        + """ | topic | subject category | issue type | case type | ticket type | request type | type | reason | problem type | complaint type
            | thema | grund | art | anliegen | type demande | motif | motivo | tipo | 工单类型 | 问题类型 | 投诉类型""",
        "channel": _CHANNEL,
        "priority": """priority | severity | urgency | importance | prioritaet | dringlichkeit | prio | priorite | urgence | gravite | prioridad | urgencia
            | 优先级 | 紧急程度""",
        "team": """team | assignment group | group | queue | department | support group | owner team | assigned group | assigned team | abteilung | gruppe
            | bearbeitergruppe | equipe | groupe | equipo | grupo | departamento | 部门 | 团队 | 处理部门 | 处理组""",
        "reassignments": """reassignments | reassignment count | reassign count | hand overs | handovers | transfers | transfer count | weiterleitungen
            | umverteilungen | reaffectations | reasignaciones | 转派次数 | 转单次数""",
        "reopens": """reopens | reopen count | reopened | reopened count | times reopened | wiedereroeffnungen | wiedereroeffnet | reouvertures
            | reaperturas | 重开次数 | 重新打开次数""",
        "text": """text | description | message | comment | comments | body | short description | issue description | problem description | narrative
            | customer words | subject | details | beschreibung | nachricht | kommentar | freitext | betreff | problembeschreibung | commentaire
            | descripcion | mensaje | comentario | asunto | 描述 | 内容 | 问题描述 | 备注 | 投诉内容""",
    },
    "contacts": {
        "customer_id": _CUSTOMER,
        "campaign_id": """campaign id | campaign | campaign no | campaign code | campaign name | mailing id | mailing | promotion id | action id
            | kampagne | kampagnen id | kampagnennummer | aktion | aktionsnummer | campagne | id campagne | campana | id campana | 活动编号 | 活动id | 营销活动 | 活动""",
        "sent_at": """sent at | sent | sent on | send date | sent date | mailing date | contact date | contacted at | delivered at | start day | start date
            | date | versendet am | versanddatum | gesendet am | kontaktdatum | date envoi | envoye le | fecha envio | enviado el
            | 发送时间 | 发送日期 | 触达时间 | 联系时间""",
        "is_control": """is control | control | control group | holdout | hold out | is holdout | in control | kontrollgruppe | kontrolle
            | groupe temoin | temoin | grupo control | 对照组 | 是否对照组""",
        "cost": """cost | contact cost | costs | cost per contact | unit cost | kosten | kontaktkosten | cout | coste | costo | 成本 | 费用""",
        "responded_at": """responded at | response date | responded on | response time | redeemed at | redeemed day | redemption date | clicked at
            | converted at | reaktion am | antwortdatum | eingeloest am | date reponse | fecha respuesta | 响应时间 | 回复时间 | 转化时间""",
    },
}
_FILES: Mapping[str, str] = {
    "customers": """customer | customers | client | clients | account | accounts | member | members | household | households | crm | kunde | kunden
        | kundenstamm | cliente | clientes | 客户 | 会员 | 用户""",
    "transactions": """transaction | transactions | order | orders | invoice | invoices | sale | sales | purchase | purchases | receipt | receipts
        | retail | basket | bestellung | bestellungen | umsatz | umsaetze | rechnung | rechnungen | verkauf | verkaeufe | kaeufe | commandes | ventes
        | factures | pedidos | ventas | compras | facturas | 订单 | 交易 | 销售 | 购买""",
    "service_cases": """case | cases | ticket | tickets | incident | incidents | complaint | complaints | service | support | helpdesk | request | requests
        | vorgang | vorgaenge | faelle | anfragen | beschwerden | reclamations | incidencias | reclamos | 工单 | 投诉 | 服务""",
    "contacts": """contact | contacts | campaign | campaigns | mailing | mailings | kampagne | kampagnen | kontakte | campagnes | campanas | 活动 | 营销""",
}
_CODE_LIST = """AED ARS AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EUR GBP HKD HUF IDR ILS INR ISK JPY KRW MXN MYR NOK NZD PEN PHP PLN RON RUB SAR SEK SGD
    THB TRY TWD UAH USD VND ZAR"""
CURRENCY_CODES = frozenset(_CODE_LIST.split())
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[a-z]+|[0-9]+|[㐀-鿿]+")
_FILLERS = frozenset(
    {"de", "du", "des", "del", "la", "le", "el", "der", "die", "das", "d", "l", "u", "sys", "the", "of"}
)


@lru_cache(maxsize=10_000)
def words(name: str) -> tuple[str, ...]:
    """
    Return the words of a name, without case, accents, separators and the like.

    Parameters
    ----------
    name : str
        Of a column or a file.

    Returns
    -------
    tuple of str
        Lower-case words; Chinese stays in one piece.

    Examples
    --------
    >>> words("InvoiceDate"), words("Kunden-Nr."), words("N° de commande"), words("Größe")
    (('invoice', 'date'), ('kunden', 'nr'), ('no', 'commande'), ('groesse',))
    """
    text = name.replace("°", "o ").replace("º", "o ").replace("#", " no ").translate(_UMLAUTS)
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    found = _WORD.findall(_CAMEL.sub(" ", plain).lower())
    return tuple(word for word in found if word not in _FILLERS) or tuple(found)


@cache
def column_phrases(table: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """
    Return the phrases that name the columns of a canonical table.

    Parameters
    ----------
    table : str
        A canonical table.

    Returns
    -------
    mapping
        Canonical column to phrases, each a tuple of words; the canonical name is the first.
    """
    return {
        column: tuple(dict.fromkeys([words(column), *(words(phrase) for phrase in text.split("|"))]))
        for column, text in _WORDS[table].items()
    }


@cache
def file_words() -> Mapping[str, frozenset[str]]:
    """
    Return the words in a file's name that speak for a canonical table.

    Returns
    -------
    mapping
        Canonical table to words.
    """
    return {
        table: frozenset(word for phrase in text.split("|") for word in words(phrase)) for table, text in _FILES.items()
    }
