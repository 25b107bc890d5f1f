"""Topics are found where texts have some and not where they have none, are named by words that may be shown, and tell what is true."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_mutual_info_score

from crm_analysis.errors import DataQualityError
from crm_analysis.models.text import case_topics, no_topics
from crm_analysis.models.text.description import TopicTexts, topic_outcomes, topic_sizes, topics_by_period
from crm_analysis.models.text.languages import LATIN_UNTOLD
from crm_analysis.tables.demo_texts import TEMPLATES, case_texts
from tests.models.text.written_texts import CHINESE, ENGLISH, RUSSIAN, cases, written

QUICK = {"seed": 0, "max_topics": 4}
TABLES = ("topics", "words", "trends", "by_period", "outcomes", "languages", "choice")


@pytest.fixture(scope="module")
def english():
    texts, topic = written(ENGLISH, 420, seed=1)
    return texts, topic, case_topics(texts, **QUICK)


def agreement(topic, found):
    known = found.cases["topic"].notna()
    return adjusted_mutual_info_score(topic[known], found.cases["topic"][known])


def test_planted_topics_are_found_and_named_by_their_words(english):
    texts, topic, found = english
    assert found.n_topics == 4
    assert agreement(topic, found) > 0.95
    planted = [set(words.split()) for words in ENGLISH]
    assert all(any(set(label.split(", ")) <= words for words in planted) for label in found.topics.index)
    assert found.topics.index.is_unique
    assert found.topics["texts"].sum() == found.cases["topic"].notna().sum() == len(texts)
    assert found.topics["share"].sum() == pytest.approx(1)
    assert found.topics["texts"].is_monotonic_decreasing
    assert found.topics["is_stable"].all()
    assert found.stability > 0.9


def test_cases_keep_the_order_given_and_the_excerpt_is_a_text_of_the_topic(english):
    texts, _, found = english
    assert found.cases["case_id"].tolist() == texts["case_id"].tolist()
    assert found.cases["weight"].between(0, 1).all()
    for label, row in found.topics.iterrows():
        assert row["snippet"] in set(texts["text"][found.cases["topic"] == label])


def test_the_table_for_people_has_a_row_a_topic(english):
    found = english[2]
    shown = found.readable
    assert shown.index.tolist() == found.topics.index.tolist()
    assert list(shown) == ["texts", "share in %", "comes back in halves", "stable", "typical text"]
    assert (shown["share in %"] / 100 - found.topics["share"]).abs().max() <= 0.0005
    assert (shown["stable"] == "yes").all()
    assert "customers" not in shown
    assert no_topics("The cases have no texts.").readable.empty


def test_shares_by_period_add_up_and_tables_name_the_same_topics(english):
    found = english[2]
    assert found.by_period.groupby("period")["share"].sum().round(4).eq(1).all()
    for table in (found.words, found.by_period, found.outcomes):
        assert set(table["topic"]) == set(found.topics.index)
    assert found.trends.index.tolist() == found.topics.index.tolist()


def test_row_order_and_names_of_customers_and_cases_change_nothing(english):
    texts, _, found = english
    renamed = texts.assign(customer_id="z" + texts["customer_id"].str[::-1], case_id="y" + texts["case_id"])
    again = case_topics(renamed.sample(frac=1, random_state=1), **QUICK)  # the choice included
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(found, name))
    assert again.sentences == found.sentences
    assert again.notes == found.notes
    cases_again = again.cases.assign(case_id=again.cases["case_id"].str[1:]).sort_values("case_id", ignore_index=True)
    pd.testing.assert_frame_equal(cases_again, found.cases)


def test_a_given_number_is_kept_and_measured(english):
    found = case_topics(english[0], seed=0, n_topics=2)
    assert found.n_topics == 2
    assert found.choice["n_topics"].tolist() == [2]
    assert "as asked for" in found.notes[0]


def test_the_demonstrations_texts_fall_into_their_categories():
    rng = np.random.default_rng(8)
    category = pd.Series(rng.choice(list(TEMPLATES), 900))
    found = case_topics(cases(case_texts(category, rng)).assign(category=category), seed=0, n_topics=6)
    assert agreement(category, found) > 0.85


def test_chinese_and_russian_have_topics_of_their_own_beside_english():
    parts = [
        written(ENGLISH[:2], 260, seed=2)[0],
        written(CHINESE[:2], 240, seed=3, filler="我的 没有 请", joined="")[0],
        written(RUSSIAN, 220, seed=4, filler="в на не что мне это как уже")[0],
    ]
    texts = pd.concat(parts, ignore_index=True)
    texts["case_id"] = [f"s{at}" for at in range(len(texts))]
    found = case_topics(texts, seed=0, max_topics=2)
    assert found.topics["language"].value_counts().to_dict() == dict.fromkeys(
        ("English", "Chinese", "Cyrillic script"), 2
    )
    assert found.languages["texts"].to_dict() == {"English": 260, "Chinese": 240, "Cyrillic script": 220}
    assert found.sentences[0].startswith("6 topics in 3 languages or writings cover")
    own = set(" ".join(CHINESE[:2]).split())
    chinese = found.words[found.words["topic"].isin(found.topics.index[found.topics["language"] == "Chinese"])]
    assert len(own & set(chinese["word"])) >= 10


def test_nothing_is_called_a_topic_where_words_do_not_come_together():
    rng = np.random.default_rng(5)
    words = np.array([a + b + c for a in "bdfgk" for b in "aeiou" for c in "lmn"])
    found = case_topics(cases([" ".join(rng.choice(words, 8)) for _ in range(300)]), seed=0, max_topics=3)
    assert found.n_topics == 0
    assert found.sentences[0].startswith("No topics: ")
    assert np.isnan(found.stability)
    assert (found.choice["choice"] == "").all()
    assert found.cases["topic"].isna().all()


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([], "there are no cases"),
        ([None] * 300, "none of 300 cases has a text with words"),
        ([""] * 300, "none of 300 cases has a text with words"),
        (["[name] [phone] [e-mail]"] * 300, "none of 300 cases has a text with words"),
        (["😀 👍🏽 !!! 12345"] * 300, "none of 300 cases has a text with words"),
        (["The parcel was not in the box."] * 300, "the texts are nearly alike"),
        (["The parcel was not in the box."] * 150, "fewer than 200 texts"),
        (["<script>alert('x')</script><b>late</b>"] * 300, "the texts are nearly alike"),
        (["لم يصل الطرد حتى الآن"] * 300, "the texts are nearly alike"),
        (["late parcel " * 30_000] * 3, "fewer than 200 texts"),
    ],
)
def test_texts_without_topics_say_why(texts, says):
    found = case_topics(cases(texts), **QUICK, min_cell=5)
    assert found.n_topics == 0
    assert says in found.sentences[0]
    assert len(found.cases) == len(texts)
    assert all(isinstance(getattr(found, name), pd.DataFrame) for name in TABLES)


def test_texts_each_its_own_say_so():
    rng = np.random.default_rng(1)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    found = case_topics(
        cases([" ".join("".join(rng.choice(letters, 9)) for _ in range(6)) for _ in range(250)]), **QUICK
    )
    assert found.n_topics == 0
    assert "share two or more words with others" in found.sentences[0]
    assert found.languages.index.tolist() == [LATIN_UNTOLD]


def test_forty_languages_are_listed_and_not_taken_for_topics():
    starts = [
        0x61,
        0x3B1,
        0x430,
        0x561,
        0x5D0,
        0x627,
        0x905,
        0x985,
        0xA05,
        0xA85,
        0xB05,
        0xB85,
        0xC05,
        0xC85,
        0xD05,
        0xD85,
    ]
    starts += [
        0xE01,
        0xE81,
        0xF40,
        0x1000,
        0x10D0,
        0xAC00,
        0x1200,
        0x1780,
        0x1820,
        0x30A2,
        0x4E00,
        0x13A0,
        0x2D30,
        0xA500,
    ]
    rng = np.random.default_rng(2)
    texts = [
        " ".join("".join(chr(start + at) for at in rng.integers(0, 6, 4)) for _ in range(5))
        for start in starts
        for _ in range(20)
    ]
    words = [
        "der die und",
        "le la et",
        "el los y no",
        "o os e não",
        "il lo gli",
        "de het en",
        "nie się że",
        "och att det",
        "ve bir bu",
        "vă și în",
    ]
    texts += [f"{words[at % 10]} parcel{'abcdefghij'[at % 10] * 2}" for at in range(200)]
    found = case_topics(cases(texts), **QUICK)
    assert found.n_topics == 0
    assert len(found.languages) >= 35
    assert f"in {len(found.languages)} languages or writings, none with 200 texts or more" in found.sentences[0]


def test_a_trend_and_a_low_satisfaction_that_were_put_in_are_told():
    texts, topic = written(ENGLISH, 900, seed=6, customers=450)
    rng = np.random.default_rng(9)
    early = np.arange(900) < 450
    kept = ~((topic == 0) & early & (rng.random(900) < 0.8))
    low = np.where(topic == 1, 0.9, 0.2)
    texts["satisfaction"] = pd.Series(np.where(rng.random(900) < low, 1, 5), dtype="Int64")
    missed = pd.Series(rng.random(900) < 0.3, index=texts["case_id"]).astype("boolean").mask(rng.random(900) < 0.1)
    found = case_topics(texts[kept], seed=0, n_topics=4, sla_missed=missed)
    label = {at: found.cases["topic"][(topic == at)[kept]].mode()[0] for at in range(4)}
    assert found.trends.loc[label[0], "reading"] == "rises"
    assert found.trends.loc[label[0], "share_late"] > 2 * found.trends.loc[label[0], "share_early"]
    answers = found.outcomes[found.outcomes["outcome"] == "low satisfaction"].set_index("topic")
    assert answers.loc[label[1], "reading"] == "more often"
    assert answers.loc[label[1], "low"] < 0.9 < answers.loc[label[1], "high"]
    assert (
        found.outcomes[found.outcomes["outcome"] == "missed target"]["reading"] == "no difference beyond chance"
    ).all()
    told = " ".join(found.sentences)
    assert f"“{label[0]}” rises from" in told
    assert f"Low satisfaction comes more often in “{label[1]}”" in told or f"more often in “{label[1]}”" in told
    assert "A missed target is as frequent in every topic" in told


def test_words_of_few_customers_name_no_topic():
    texts, topic = written(ENGLISH, 420, seed=1, customers=200)
    texts.loc[topic == 3, "customer_id"] = [f"few{at % 3}" for at in range(int((topic == 3).sum()))]
    found = case_topics(texts, seed=0, n_topics=3, min_cell=5)
    shown = set(found.words["word"]) | set(" ".join([*found.topics["snippet"], *found.topics.index]).split())
    assert not shown & (set(ENGLISH[3].split()) - {"screen"})
    assert (
        found.cases.empty
    )  # the cases without a topic are of three customers: a list of the others would tell how many
    assert len(case_topics(texts, seed=0, n_topics=3).cases) == len(texts)


@pytest.fixture
def few():
    """Ten texts of ten customers, six of six, two of two: by hand."""
    topic = np.repeat([0, 1, 2], [10, 6, 2])
    opened = pd.Series(pd.date_range("2017-01-01", periods=18, freq="D", unit="us"))
    return TopicTexts(topic, np.arange(18), opened, ["a", "b", "c"])


def test_sizes_of_topics_by_hand_and_without_small_cells(few):
    about = pd.DataFrame(
        {"language": "English", "words": "x", "seeds": 1.0, "halves": [0.9, 0.6, 0.9], "snippet": "s"}, index=range(3)
    )
    table = topic_sizes(few, about, min_cell=1)
    assert table["texts"].tolist() == table["customers"].tolist() == [10, 6, 2]
    assert table["share"].round(3).tolist() == [0.556, 0.333, 0.111]
    assert table["is_stable"].tolist() == [True, False, True]
    hidden = topic_sizes(few, about, min_cell=5)
    assert hidden["texts"].isna().tolist() == [
        False,
        True,
        True,
    ]  # the second, too, or the third would follow from the total
    assert hidden["snippet"].tolist() == ["s", "not shown", "not shown"]


def test_outcomes_and_periods_by_hand_and_without_small_cells(few):
    low = pd.Series([True, False] * 9, dtype="boolean")
    table = topic_outcomes(few, {"low satisfaction": low}, min_cell=1)
    assert table["share"].tolist() == [0.5, 0.5, 0.5]
    assert (table["reading"] == "too few customers").all()
    # the first, too: four customers of the others are with the outcome, and four without
    assert topic_outcomes(few, {"low satisfaction": low}, min_cell=5)["share"].isna().tolist() == [True, True, True]
    assert topic_outcomes(few, {"low satisfaction": low}, min_cell=4)["share"].isna().tolist() == [False, True, True]
    weeks = topics_by_period(few, min_cell=1).pivot_table(index="topic", columns="period", values="share")
    assert weeks.loc["a"].round(3).tolist() == [
        1,
        1,
        0.286,
        0,
    ]  # 1 January 2017 is a Sunday: weeks of 1, 7, 7 and 3 texts
    assert weeks.sum().round(6).eq(1).all()
    assert topics_by_period(few, min_cell=5)["share"].isna().any()


def test_names_and_words_of_few_customers_stand_in_no_label_table_or_excerpt():
    texts, _ = written(ENGLISH, 420, seed=1)
    rng = np.random.default_rng(3)
    secret = [f"ask for Dave about it and {word}" for word in rng.choice(["xanthippe", "quux"], 420)]
    noted = rng.random(420) < 0.4
    texts["text"] = [
        f"{text} {more} 4711" if flag else f"{text} now"
        for text, more, flag in zip(texts["text"], secret, noted, strict=True)
    ]
    texts.loc[texts["text"].str.contains("quux"), "customer_id"] = "one"
    found = case_topics(texts, seed=0, n_topics=4, min_cell=5)
    public = case_topics(texts, seed=0, n_topics=4)
    shown = " ".join(
        [*found.topics.index, *found.topics["words"], *found.topics["snippet"], *found.words["word"], *found.sentences]
    )
    assert not {"dave", "quux", "4711"} & set(shown.lower().replace(",", " ").split())
    assert "dave" in set(public.words["word"]) | set(" ".join(public.topics["snippet"]).lower().split())
    assert any("look like names" in note for note in found.notes)


def test_columns_that_are_missing_and_cases_that_stand_there_twice_are_named(english):
    texts = english[0]
    with pytest.raises(DataQualityError, match=r"lacks 1 of 4 columns: \['text'\].*features\.service\.case_texts"):
        case_topics(texts.drop(columns="text"), seed=0)
    with pytest.raises(DataQualityError, match="1 of 421 rows repeat a case_id, such as 's00000'"):
        case_topics(pd.concat([texts, texts.head(1)]), seed=0)
    with pytest.raises(ValueError, match="n_topics must be at least 1 and max_topics at least 2, got 0 and 12"):
        case_topics(texts, seed=0, n_topics=0)


def test_missing_customers_times_and_answers_are_borne(english):
    texts = english[0].drop(columns="satisfaction")
    texts["opened_at"] = texts["opened_at"].mask(texts.index < 100)
    texts["customer_id"] = texts["customer_id"].mask(texts.index < 50)
    found = case_topics(texts, seed=0, n_topics=4, min_cell=5)
    assert found.n_topics == 4
    assert found.outcomes.empty
    undated = case_topics(texts.assign(opened_at=pd.NaT, customer_id="one"), seed=0, n_topics=4)
    assert undated.by_period.empty
    assert (undated.trends["reading"] == "too few customers").all()


def test_without_a_column_of_texts_there_is_a_result_that_says_so():
    found = no_topics("The cases have no texts.")
    assert (found.n_topics, found.sentences) == (0, ("The cases have no texts.",))
    assert found.topics.empty
