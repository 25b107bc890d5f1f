"""Texts of known topics in several languages, made from words by chance."""

import numpy as np
import pandas as pd

ENGLISH = (
    "parcel courier delivery address doorstep depot tracking late",
    "refund invoice charge payment card bank amount receipt",
    "password login account email reset browser error screen",
    "broken scratch screen battery charger warranty repair cable",
)
CHINESE = ("快递 包裹 配送 地址 物流 签收", "退款 发票 付款 银行 金额 账单", "密码 登录 账号 邮箱 验证码 浏览器")
RUSSIAN = ("посылка курьер доставка адрес склад дверь", "возврат счёт оплата карта банк сумма")
PLAIN = "the and was with my for this that have from not but is it on at to"


def sentence(rng, words, *, n_words=5, filler=PLAIN, joined=" "):
    """Return words of one topic among words of all topics."""
    chosen = list(rng.choice(words.split(), n_words)) + list(rng.choice(filler.split(), n_words) if filler else [])
    rng.shuffle(chosen)
    return joined.join(chosen)


def written(topics, n_texts, *, seed, filler=PLAIN, joined=" ", customers=None):
    """Return a table of texts, each of one topic, and the number of that topic."""
    rng = np.random.default_rng(seed)
    topic = rng.integers(0, len(topics), n_texts)
    texts = [sentence(rng, topics[at], filler=filler, joined=joined) for at in topic]
    return cases(texts, seed=seed, customers=customers), topic


def cases(texts, *, seed=0, customers=None):
    """Return a table of cases with these texts, opened over 300 days."""
    rng = np.random.default_rng([seed, 1])
    n_texts = len(texts)
    opened = pd.Timestamp(2017, 1, 1) + pd.to_timedelta(np.sort(rng.integers(0, 300 * 86400, n_texts)), unit="s")
    return pd.DataFrame(
        {
            "case_id": [f"s{at:05d}" for at in range(n_texts)],
            "customer_id": [f"c{at:04d}" for at in rng.integers(0, customers or max(n_texts // 2, 1), n_texts)],
            "opened_at": pd.Series(opened.as_unit("us")),
            "text": pd.Series(texts, dtype="str"),
            "satisfaction": pd.Series(rng.integers(1, 6, n_texts), dtype="Int64").mask(rng.random(n_texts) < 0.5),
        }
    )
