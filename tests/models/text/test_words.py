"""Words come out of texts in any writing, without what is no word; languages are told; the vocabulary keeps what may tell a topic."""

import numpy as np
import pytest

from crm_analysis.models.text.corpus import corpus_of, customers_by_word
from crm_analysis.models.text.function_words import ENGLISH, FUNCTION_WORDS, OTHER_WRITINGS
from crm_analysis.models.text.languages import LATIN_UNTOLD, NO_WORDS, languages_of
from crm_analysis.models.text.scripts import script_of
from crm_analysis.models.text.tokens import LONGEST_TEXT, cleaned, words_of
from crm_analysis.models.text.vocabulary import vocabulary_of
from crm_analysis.tables.privacy.names import PLACEHOLDER
from crm_analysis.tables.privacy.patterns import PATTERNS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("   \n", []),
        ("12 345-67 8th 85123A x", []),
        ("😀👍🏽 ❤️ !!!", []),
        ("It's O’Brien’s parcel", ["it", "brien", "parcel"]),
        ("ＦＵＬＬ width ﬁne", ["full", "width", "fine"]),
        ("Größe, ÉTÉ; naïve_word", ["größe", "été", "naïve", "word"]),
        ("我的快递还没有到", ["快递", "没有"]),
        ("iPhone手机坏了", ["iphone", "手机"]),
        ("商品がまだ届きません", ["商品"]),
        ("クレジットカードの請求書", ["クレジットカード", "請求", "求書"]),
        ("배송이 늦어요", ["배송이", "늦어요"]),
        ("मेरा पार्सल नहीं मिला", ["मेरा", "पार्सल", "नहीं", "मिला"]),
        ("أين طلبي؟", ["أين", "طلبي"]),
        ("ההזמנה לא הגיעה", ["ההזמנה", "לא", "הגיעה"]),
        ("Где моя посылка?", ["где", "моя", "посылка"]),
        ("தமிழ் எழுத்து", ["தமிழ்", "எழுத்து"]),
        ("<b>late</b> <script>steal(cookie)</script> &lt;i&gt;parcel", ["late", "parcel"]),
        ("<script>never closed", []),
        ("if a < b or c > d then wait", ["if", "or", "then", "wait"]),
        ("see https://example.com/late?x=1 or www.example.com", ["see", "or"]),
        ("mail ann.lee@example.com now", ["mail", "now"]),
        ("c61ac75ac08e9265a56d2 asked", ["asked"]),
        ("la\u200bte\u202e par\xadcel", ["late", "parcel"]),
    ],
)
def test_words_of_a_text(text, words):
    assert words_of(text) == words


def test_thai_is_cut_into_pairs_that_keep_vowel_signs_with_their_letter():
    assert words_of("ที่นี่") == ["ที่นี่"]
    assert all(len(word) >= 2 for word in words_of("ยังไม่ได้รับพัสดุ"))


@pytest.mark.parametrize("placeholder", [PLACEHOLDER, *(f"[{kind}]" for kind in PATTERNS)])
def test_placeholders_of_redaction_are_no_words(placeholder):
    assert words_of(f"call {placeholder} {placeholder}now") == ["call", "now"]
    assert cleaned(placeholder) == placeholder


def test_a_very_long_text_is_read_to_a_limit_and_in_time():
    assert len(words_of("late parcel " * 100_000)) <= LONGEST_TEXT / 5
    for hostile in ("<script" * 200_000, "a@" * 200_000, "[" * 200_000, "x" * 500_000, "\u0301" * 200_000):
        assert len(words_of(hostile)) <= LONGEST_TEXT


def test_scripts_change_where_unicode_says():
    assert [script_of(letter) for letter in "aЖΩשعअ汉かカ한ไ"] == [
        "Latin", "Cyrillic", "Greek", "Hebrew", "Arabic", "Devanagari", "Han", "Kana", "Kana", "Hangul", "Thai",
    ]  # fmt: skip


def test_counts_are_by_text_and_customers_by_word():
    corpus = corpus_of(["late late parcel", None, "", "late refund"])
    assert corpus.words == ("late", "parcel", "refund")
    np.testing.assert_array_equal(corpus.counts.toarray(), [[2, 1, 0], [0, 0, 0], [0, 0, 0], [1, 0, 1]])
    assert customers_by_word(corpus.counts, np.array([0, 0, 1, 1])).tolist() == [2, 1, 1]


SENTENCES = {
    "English": "The parcel that I ordered was not in the box.",
    "German": "Das Paket ist noch nicht bei mir angekommen.",
    "French": "Je ne suis pas chez moi et le colis est perdu.",
    "Spanish": "El paquete no ha llegado y me dicen que está en camino.",
    "Portuguese": "O pacote não chegou e eu não tenho mais tempo.",
    "Italian": "Il pacco non è arrivato e non ho più tempo per questo.",
    "Dutch": "Het pakket is nog niet bij mij en ik wacht al lang.",
    "Polish": "Paczka nie jest u mnie, proszę o zwrot, bo już czekam.",
    "Swedish": "Paketet har inte kommit och jag vill ha det till mitt hus.",
    "Turkish": "Paket için bir hafta bekledim ve çok daha geç oldu.",
    "Vietnamese": "Tôi chưa nhận được hàng và không có tin của shop.",
    "Indonesian or Malay": "Paket saya belum sampai dan tidak ada kabar dari kurir.",
    "Cyrillic script": "Моя посылка ещё не пришла.",
    "Chinese": "我的包裹还没有到。",
    "Japanese": "荷物がまだ届いていません。",
    "Korean": "아직 택배가 오지 않았습니다.",
    "Arabic script": "لم يصل الطرد حتى الآن",
    "Hebrew script": "החבילה עוד לא הגיעה",
    "Devanagari script": "मेरा पार्सल अभी तक नहीं आया",
    "Thai": "พัสดุยังไม่มาถึง",
    "Greek": "Το δέμα δεν έχει έρθει ακόμα",
    "Georgian": "ამანათი ჯერ არ მოსულა",
    "Tamil": "பார்சல் இன்னும் வரவில்லை",
    NO_WORDS: "12345 😀 [name]",
    LATIN_UNTOLD: "Kifurushi changu hakijafika",
}


def test_languages_are_told_by_writing_and_function_words():
    found = languages_of(corpus_of(list(SENTENCES.values())))
    assert dict(zip(SENTENCES, found, strict=True)) == {name: name for name in SENTENCES}


def test_texts_without_function_words_follow_the_words_known_from_others():
    told = ["the refund for my order is late"] * 3
    assert languages_of(corpus_of([*told, "refund order late", "zurek barszcz pierogi"]))[3:].tolist() == [
        "English",
        LATIN_UNTOLD,
    ]


def test_lists_of_function_words_are_small_letters():
    for language, words in FUNCTION_WORDS.items():
        assert all(word == word.lower() for word in words), language
    assert set(FUNCTION_WORDS) > OTHER_WRITINGS


def vocabulary(texts, *, customers=None, min_customers=1, language=ENGLISH, unshown=()):
    rows = np.arange(len(texts))
    owners = rows if customers is None else np.asarray(customers)
    return vocabulary_of(
        corpus_of(texts), rows, owners, language=language, min_customers=min_customers, unshown=unshown
    )


def test_function_words_rare_words_and_words_of_most_texts_are_left_out():
    texts = ["the case of a coupon"] * 5 + ["the case of a refund"] * 6 + ["the case of a singleton"]
    found = vocabulary(texts)
    assert found.words == ("coupon", "refund")
    assert (found.n_too_common, found.n_too_rare) == (1, 1)
    assert found.n_texts.tolist() == [5, 6]


def test_plurals_join_the_more_common_form_and_words_that_only_look_like_one_stay():
    texts = (
        ["coupons address"] * 6
        + ["coupon deliveries"] * 5
        + ["delivery news boss"] * 7
        + ["new bos"] * 5
        + ["filler"] * 6
    )
    found = vocabulary(texts)
    assert dict(zip(found.words, found.n_texts.tolist(), strict=True)) == {
        "address": 6, "bos": 5, "boss": 7, "coupons": 11, "delivery": 12, "filler": 6, "new": 5, "news": 7,
    }  # fmt: skip


def test_words_of_too_few_customers_and_unshown_ones_are_left_out():
    texts = ["secret parcel", "secret parcel"] * 5 + ["something else"] * 12
    customers = [0, 1] * 5 + list(range(2, 14))
    assert vocabulary(texts, customers=customers, min_customers=3).words == ()
    assert vocabulary(texts, customers=customers, min_customers=2, unshown={"secret"}).words == ("parcel",)
