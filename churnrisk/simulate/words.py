"""What people in the world are called and what they write, in four languages; it refuses to know who they are."""

from __future__ import annotations

from collections.abc import Mapping

GIVEN_NAMES: Mapping[str, str] = {
    "en": "Alice Ben Carol Daniel Emma Frank Grace Henry Irene Jack Kate Liam Mary Noah Olive Peter Quinn Rose Sam "
    "Tess Una Victor Wendy Zoe",
    "de": "Anna Bernd Clara Dieter Elke Fritz Greta Hans Ida Jürgen Käthe Lukas Marie Nils Ottilie Paul Rieke Sören "
    "Theo Ute Volker Wiebke Xaver Zita",
    "ru": "Анна Борис Вера Глеб Дарья Егор Жанна Захар Ирина Кирилл Лариса Максим Наталья Олег Полина Роман Светлана "
    "Тимур Ульяна Фёдор Христина Эдуард Юлия Яков",
    "zh": "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 霞 平 刚 玉兰 建国 晓明 雪梅",
}
FAMILY_NAMES: Mapping[str, str] = {
    "en": "Ashford Baker Carter Dalton Ellis Fletcher Gardner Hughes Irwin Jarvis Keane Lambert Mercer Norris O'Brien "
    "Palmer Quigley Reeves Sutton Tanner Underhill Vance Walsh Young",
    "de": "Albrecht Böhm Conrad Dürr Ebert Falk Gärtner Hübner Iske Jäger Köhler Lorenz Möller Neumann Ott Pfeiffer "
    "Quast Röder Schäfer Thoma Ullmann Vogt Weiß Zöller",
    "ru": "Авдеенко Бондаренко Вакуленко Гриценко Демченко Ермоленко Живаго Зинченко Игнатенко Кравченко Лысенко Мороз "
    "Науменко Онищенко Пилипенко Романенко Савченко Ткаченко Усенко Фоменко Хоменко Цой Шевченко Юрченко",
    "zh": "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 高 林 罗 郑 梁 谢 宋",
}
"""24 of each in every language; Russian family names are those that do not change with gender."""

OWNERS = ("Ana Ruiz", "Jörg Weber", "Ольга Петрова", "李娜", "Tom O'Neill", "Sara Lind", "Иван Орлов", "陈伟")

PRAISE, PRICE, SERVICE, NEUTRAL = range(4)
COMMENTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "en": (
        (
            "Never had a problem, keep it up.",
            "Friendly people, quick answers.",
            "The network is good wherever I go.",
            "Everything just works.",
            "The new app is a pleasure to use.",
        ),
        (
            "Too expensive for what I get.",
            "The price went up again and nobody told me why.",
            "My neighbour pays less for the same plan.",
            "New customers get better offers than I do.",
            "The bill is never what I expect.",
        ),
        (
            "The connection drops every evening.",
            "I was passed from one agent to the next and had to repeat everything.",
            "I waited half an hour on the phone.",
            "The fault was reported twice and is still there.",
            "No reception in my own house.",
        ),
        (
            "It is all right.",
            "Better coverage in the countryside would be nice.",
            "I have no strong opinion.",
            "More data for the same price, please.",
        ),
    ),
    "de": (
        (
            "Alles bestens, weiter so.",
            "Sehr freundlich und schnell geholfen.",
            "Das Netz ist überall gut.",
            "Läuft seit Jahren ohne Störung.",
        ),
        (
            "Viel zu teuer geworden.",
            "Neukunden zahlen weniger als ich, das ist ungerecht.",
            "Die Rechnung stimmt fast nie.",
            "Schon wieder eine Preiserhöhung.",
        ),
        (
            "Abends bricht die Verbindung ständig ab.",
            "Eine halbe Stunde in der Warteschleife.",
            "Dreimal weiterverbunden, und keiner wusste Bescheid.",
            "Der Techniker kam nicht zum Termin.",
        ),
        (
            "Geht so.",
            "Auf dem Land fehlt noch Empfang.",
            "Ganz in Ordnung, nichts Besonderes.",
        ),
    ),
    "ru": (
        (
            "Всё отлично, связь не подводит.",
            "Вежливые операторы, быстро помогли.",
            "Пользуюсь много лет и доволен.",
            "Удобное приложение.",
        ),
        (
            "Слишком дорого.",
            "Опять подняли цену без предупреждения.",
            "Новым клиентам предлагают дешевле, чем мне.",
            "В счёте лишние списания.",
        ),
        (
            "По вечерам пропадает интернет.",
            "Ждал ответа оператора сорок минут.",
            "Каждый раз приходится объяснять всё заново.",
            "Дома почти нет сигнала.",
        ),
        (
            "Нормально, без восторга.",
            "Хотелось бы лучшее покрытие за городом.",
            "Пока ничего плохого сказать не могу.",
        ),
    ),
    "zh": (
        (
            "一直很稳定，非常满意。",
            "客服态度很好，解决得很快。",
            "信号到处都很好。",
            "新的应用很好用。",
        ),
        (
            "太贵了。",
            "又涨价了，也没有提前通知。",
            "新用户的优惠比老用户多，不公平。",
            "账单总是看不懂。",
        ),
        (
            "晚上经常断网。",
            "电话等了半个小时才有人接。",
            "同样的问题要说三遍。",
            "家里几乎没有信号。",
        ),
        (
            "一般般。",
            "希望郊区的信号好一点。",
            "还可以，没什么特别的。",
        ),
    ),
}
"""Comments by language and theme (praise, price, service, neutral)."""
