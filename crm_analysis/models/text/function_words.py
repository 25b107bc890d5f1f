"""
Words that tell the language of a text and nothing of its topic: short lists, enough for what customers write to a service desk.

They are joined by the words of politeness that stand in every second message. Languages without a list lose the words
that stand in many of their texts, see :mod:`crm_analysis.models.text.vocabulary`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ENGLISH, CHINESE = "English", "Chinese"
OTHER_WRITINGS = frozenset({CHINESE, "Cyrillic script", "Arabic script", "Greek", "Devanagari script", "Korean"})


def _set_of(*texts: str) -> frozenset[str]:
    """Return the words of lists that read as one."""
    return frozenset(word for text in texts for word in text.split())


FUNCTION_WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        ENGLISH: _set_of(
            "the an and or but if then than so as of at by for from in into on onto off out over under up down to with without",
            "about above after again against all am any are aren around be because been before being below between both can",
            "cannot could couldn did didn do does doesn doing don done during each either else ever every few further get gets",
            "getting go goes going gone got had hadn has hasn have haven having he her here hers herself him himself his how",
            "however i is isn it its itself just ll me might mine more most much must my myself neither no nor not now once only",
            "other our ours ourselves own per quite rather re same shall she should shouldn since some still such that their",
            "theirs them themselves there therefore these they this those though through too toward until upon us ve very was",
            "wasn we were weren what when where whether which while who whole whom whose why will won would wouldn yes yet you",
            "your yours yourself also although always already another anyone anything back even somebody someone something",
            "please thank thanks hello hi hey dear regards sincerely kind kindly good morning afternoon evening like want need",
            "know let make made many may one ones two say says said see since take tell way well went used use using try tried",
        ),
        CHINESE: _set_of(
            "的 了 我 是 不 在 有 没 还 就 都 很 也 和 请 给 到 你 您 他 她 它 们 这 那 吗 呢 吧 啊 要 会 能 可 又 再 被 把 与 从 对 为 上 下 中 个 一 来 去 说 着 过",
            "我们 你们 他们 她们 它们 您好 你好 谢谢 感谢 请问 麻烦 已经 没有 还有 可以 不能 不会 可是 但是 因为 所以 如果 就是 还是 或者 而且 然后 现在 今天",
            "昨天 明天 这个 那个 这些 那些 什么 怎么 为什么 怎么办 怎么样 多少 一下 一个 一直 一次 不是 不到 知道 觉得 希望 需要 想要 时候 之前 之后 以后 以前",
            "问题 这样 那样 这里 那里 非常 真的 比较 自己 大家 有点 应该 可能 不要 的话 之间 为了 关于 通过 进行 尽快",
        ),
        "German": _set_of(
            "der die das den dem des ein eine einen einem einer eines und oder aber nicht kein keine ist sind war waren wurde wird",
            "werden hat habe haben hatte ich sie er es wir ihr mein meine meinen meiner ihre ihren mir mich uns sich auf aus bei mit",
            "nach von vom zu zum zur für über unter im am um an dass daß wenn als auch noch schon nur sehr bitte danke hallo guten",
            "tag kann können konnte muss soll wie was wer warum wann wo hier dort da seit bis durch ohne gegen diese dieser dieses",
        ),
        "French": _set_of(
            "le la les un une des du de et ou mais ne pas est sont était été être avoir ai as avez avons ont je tu il elle nous vous",
            "ils elles mon ma mes votre vos notre nos son sa ses ce cette ces dans sur sous avec sans pour par en au aux que qui quoi",
            "où quand comment pourquoi plus très bien bonjour merci si se me je suis fait faire peut peux depuis encore toujours aussi",
        ),
        "Spanish": _set_of(
            "el la los las un una unos unas de del al y o pero no es son era fue ser está están estoy he ha han hay tengo tiene yo tú",
            "usted nosotros ustedes mi mis su sus me te se nos le lo les en con sin por para que qué quien cuando cómo como dónde más",
            "muy ya también todavía desde hasta este esta estos estas ese esa hola gracias favor buenos días puede puedo si porque",
        ),
        "Portuguese": _set_of(
            "o os as um uma uns umas de do da dos das no na nos nas ao aos e ou mas não é são era foi ser está estão estou tenho tem há",
            "eu você vocês nós meu minha meus minhas seu sua me se em com sem por para que quem quando como onde mais muito já também",
            "ainda desde até este esta isso esse essa olá obrigado obrigada favor bom dia pode posso porque pelo pela",
        ),
        "Italian": _set_of(
            "il lo la gli le un una uno di del della dei delle al alla ai nel nella e ed o ma non è sono era stato stata essere ho hai ha",
            "abbiamo hanno io tu lei noi voi mio mia miei mie suo sua mi si ci vi in con senza per da dal dalla su che chi quando come",
            "dove perché più molto già anche ancora questo questa questi queste buongiorno grazie favore posso può se ciao",
        ),
        "Dutch": _set_of(
            "de het een en of maar niet geen is zijn was waren wordt werd worden heb heeft hebben had ik jij je u hij zij ze wij we mijn",
            "uw jullie ons onze mij me zich op uit bij met naar van voor over onder in aan om dat dit die deze als ook nog al alleen zeer",
            "graag dank bedankt hallo goede kan kunnen moet wat wie waarom wanneer waar hier daar sinds tot door zonder er te",
        ),
        "Polish": _set_of(
            "i w z na do nie jest są był była było to ten ta te się że jak co czy ale lub oraz od po za przez przy dla mam ma mnie mi ja",
            "moje moja mój państwo proszę dziękuję dzień dobry już jeszcze bardzo tylko gdy kiedy gdzie dlaczego który która które ze",
        ),
        "Swedish": _set_of(
            "och att det som en ett är var har hade jag du han hon vi ni de den inte men eller på av för med till från om min mitt mina er",
            "mig så nu när hur varför kan ska skulle tack hej vänligen också bara mycket sedan efter utan finns blev blir",
        ),
        "Danish or Norwegian": _set_of(
            "og at det som en et er var har havde hadde jeg du han hun vi de den ikke men eller på af av for med til fra om min mit mitt",
            "mine jer dere mig meg så nu nå når hvordan hvorfor kan skal ville tak takk hej hei venligst vennligst også bare meget mye",
        ),
        "Finnish": _set_of(
            "ja ei on oli ovat että se mutta tai kun kuin minä minun sinä hän me te he en ole olen olisi voi voin voiko tämä joka mitä",
            "miksi milloin missä myös vielä vain kiitos hei nyt jos ollut sitä siitä niin",
        ),
        "Czech or Slovak": _set_of(
            "a v na se je že to s z do ne není jsem jsou byl byla bylo ale nebo jak co když kde proč mi mě můj moje pro od po při už",
            "ještě jen velmi prosím děkuji dobrý den sa som sú bol bola nie alebo ako čo keď prečo ďakujem ešte len",
        ),
        "Turkish": _set_of(
            "ve bir bu için ile de da ki ne mi mı değil var yok ben sen biz siz benim bana çok daha gibi ama veya olarak olan oldu kadar",
            "sonra önce nasıl neden nerede zaman lütfen merhaba teşekkürler teşekkür ederim hala şu en",
        ),
        "Romanian": _set_of(
            "și si în la de cu pe pentru nu este sunt era fost am ai are avem au eu tu noi voi mea meu mele dumneavoastră un o unei unui",
            "că care ce când cum unde dar sau din mai foarte deja vă rog mulțumesc bună ziua să se mi îmi",
        ),
        "Hungarian": _set_of(
            "a az és egy nem is hogy de van volt ez azt ezt meg már még csak nagyon vagy mint ha mert én ön mi nekem kérem köszönöm",
            "jó napot mikor hol miért hogyan lehet el ki be",
        ),
        "Indonesian or Malay": _set_of(
            "yang dan di ke dari untuk dengan tidak ini itu ada adalah saya kami anda sudah belum akan bisa boleh dapat pada juga atau",
            "karena kenapa bagaimana kapan mana apa terima kasih mohon tolong selamat lagi masih telah tak",
        ),
        "Vietnamese": _set_of(
            "và là của có không được cho tôi bạn với này đó đã đang sẽ trong từ đến khi nào sao vì nhưng hoặc rất cũng vẫn chưa xin",
            "cảm ơn chào một các những để ở ra lại thì mà",
        ),
        "Cyrillic script": _set_of(  # Russian, Ukrainian
            "не на что это как мне меня мой моя мою мы нас вы вас ваш ваша он она они его ее её их ещё еще уже был была было были есть",
            "нет да но или если когда где почему чтобы потому по из за до от для при без под над об со во ко же бы ли то так там тут вот",
            "очень можно нужно надо пожалуйста здравствуйте спасибо добрый день только после этот эта эти который которая",
            "що це як мені мене мій моя ми він вона вони його її їх вже ще був була було були немає але або якщо коли де чому щоб по із",
            "від для при без та дуже можна треба потрібно будь ласка дякую добрий день тільки після цей який яка",
        ),
        "Arabic script": _set_of(
            "في من على إلى الى عن مع هذا هذه ذلك التي الذي ما لا لم لن هل كان كانت أن ان إن أو او ثم بعد قبل حتى كل قد لقد أنا انا",
            "نحن أنت هو هي هم لي لكم يتم تم منذ كيف متى أين لماذا شكرا مرحبا السلام عليكم فضلك رجاء لكن",
        ),
        "Greek": _set_of(
            "και το του την της τα τον των τις τους οι στο στη στην στον στα για με από που δεν να θα μου μας σας είναι ήταν έχω έχει",
            "ένα μια ένας πως πότε πού γιατί αλλά ακόμα πολύ παρακαλώ ευχαριστώ καλημέρα γεια",
        ),
        "Devanagari script": _set_of(
            "है हैं था थी थे का की के को से में पर और या कि यह वह ये वे मैं मेरा मेरी मेरे हम आप आपका नहीं हो रहा रही गया गई कर किया तो",
            "भी अभी तक क्या कब क्यों कैसे कृपया धन्यवाद नमस्ते ने एक लिए साथ बाद मुझे",
        ),
        "Korean": _set_of(
            "그리고 그런데 하지만 그래서 또는 있습니다 없습니다 합니다 입니다 했습니다 안녕하세요 감사합니다 부탁드립니다 제가 저는 저의 제 이 그 저 것 수 좀 왜",
            "언제 어떻게 아직 너무 매우 정말 오늘 어제 주세요 해주세요 있나요",
        ),
    }
)
STOP_WORDS: frozenset[str] = frozenset().union(*FUNCTION_WORDS.values())
CALENDAR: frozenset[str] = _set_of(
    "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september",
    "october november december christmas easter english",
)  # written with a capital, and nobody's name
NO_PLURALS = _set_of("news goods customs thanks glasses premises earnings mens womens lens always perhaps")
