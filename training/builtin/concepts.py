"""The closed world: which pictograms the model learns, their policy, and the words for them."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Policy id -> pictogram -> words beside the Unicode name. Every word of the demo pack stands here,
# because words that no caption contained do not generalise to prompts.
POLICY_WORDS: dict[str, dict[str, list[str]]] = {
    "weapons": {
        "🔫": ["gun", "pistol", "handgun", "revolver", "firearm", "weapon", "toy gun", "shooting"],
        "🔪": ["knife", "kitchen knife", "sharp knife", "blade", "weapon", "stabbing"],
        "🗡": ["dagger", "knife", "sword", "blade", "weapon", "stabbing"],
        "⚔": ["swords", "sword", "crossed swords", "blade", "weapon", "sword fight", "battle"],
        "💣": ["bomb", "weapon", "grenade", "explosive"],
        "🪓": ["axe", "hatchet", "weapon"],
        "🏹": ["bow and arrow", "archery", "weapon", "crossbow"],
    },
    "fire": {
        "🔥": ["fire", "flame", "flames", "burning", "blaze"],
        "💥": ["explosion", "blast", "detonation", "boom", "collision"],
        "🧨": ["firecracker", "dynamite", "explosive", "explosion", "fuse"],
        "🌋": ["volcano", "eruption", "lava", "fire"],
    },
    "tobacco": {
        "🚬": ["cigarette", "tobacco", "smoking", "smoker", "nicotine", "lit cigarette"],
    },
    "drugs": {
        "💊": ["pill", "pills", "drugs", "medicine", "medication", "capsule", "narcotic"],
        "💉": ["syringe", "needle", "injection", "drugs", "narcotic"],
        "🌿": ["herb", "cannabis", "marijuana", "weed", "drugs", "cannabis leaf"],
    },
    "alcohol": {
        "🍺": ["beer", "alcohol", "beer mug", "lager", "ale", "booze"],
        "🍻": ["beers", "beer", "alcohol", "cheers", "clinking beer mugs", "booze"],
        "🍷": ["wine", "alcohol", "wine glass", "red wine", "booze"],
        "🍸": ["cocktail", "alcohol", "martini", "cocktail glass"],
        "🥃": ["whisky", "whiskey", "alcohol", "liquor", "tumbler glass", "booze"],
        "🍾": ["champagne", "alcohol", "champagne bottle", "sparkling wine"],
        "🥂": ["champagne", "alcohol", "clinking glasses", "toast", "sparkling wine"],
        "🍹": ["cocktail", "alcohol", "tropical drink"],
    },
    "gore": {
        "🩸": ["blood", "drop of blood", "bleeding", "gore", "injury"],
        "💀": ["skull", "death", "dead", "skeleton", "corpse"],
        "☠": ["skull and crossbones", "death", "poison", "skull", "bones"],
        "⚰": ["coffin", "death", "burial", "funeral", "corpse"],
        "🪦": ["headstone", "grave", "death", "tombstone", "burial"],
    },
    "gambling": {
        "🎰": ["slot machine", "casino", "slots", "betting", "gambling"],
        "🎲": ["dice", "die", "casino", "game die", "betting", "gambling"],
        "🃏": ["joker", "playing card", "casino", "poker", "gambling"],
        "♠": ["spade suit", "playing card", "poker", "gambling"],
    },
    "money_scams": {
        "💰": ["money", "money bag", "cash", "wealth", "get rich quick"],
        "💵": ["dollar banknote", "money", "cash", "banknote", "dollars", "get rich quick"],
        "💸": ["money with wings", "money", "cash", "flying money", "get rich quick"],
        "🪙": ["coin", "money", "gold coin", "coins"],
        "💳": ["credit card", "payment", "bank card", "payment card"],
    },
    "obscene_gestures": {
        "🖕": ["middle finger", "rude gesture", "obscene gesture", "insult", "offensive gesture"],
    },
    "hazard_signs": {
        "☢": ["radioactive", "nuclear", "hazard", "radiation", "hazard sign", "radioactive sign"],
        "☣": ["biohazard", "hazard", "hazard sign", "biohazard sign"],
        "⚠": ["warning", "hazard", "caution", "warning sign", "hazard sign"],
        "🚨": ["police light", "alarm", "siren", "emergency"],
        "⛔": ["no entry", "prohibited", "no entry sign", "prohibited sign"],
    },
}

# Category words -> harmless pictograms. Many are there because they look like a policy's objects
# (a cup beside a beer mug, a thumb beside a middle finger, a ketchup-red heart beside blood).
BENIGN: dict[tuple[str, ...], str] = {
    ("animal",): "🐶 🐱 🐴 🐘 🦁 🐍 🐟 🐢 🐼 🐸 🐵",
    ("bird", "animal"): "🐧 🦉",
    ("insect", "bug", "animal"): "🦋 🐝",
    ("flower", "plant"): "🌹 🌻",
    ("tree", "plant"): "🌲 🌴 🌵",
    ("leaf", "plant"): "🍀 🍁",
    ("fruit", "food"): "🍎 🍌 🍇 🍓 🍊",
    ("vegetable", "food"): "🥕 🌶",
    ("meal", "food"): "🍕 🍔 🍟 🍞 🥚",
    ("dessert", "food"): "🎂 🍩 🍦 🍬",
    ("drink", "beverage"): "☕ 🥛 🥤",
    ("sports equipment", "sport"): "⚽ 🏀 🏈 🏆 🥇",
    ("musical instrument", "music"): "🎸 🎹 🥁",
    ("vehicle", "transport"): "🚗 🚌 🚲 🚀 🚂",
    ("aircraft", "vehicle"): "✈ 🚁",
    ("boat", "vehicle"): "⛵",
    ("building",): "🏠 🏰",
    ("electronics", "device"): "📱 💻 📷 📺 💡 🎮",
    ("clothing", "clothes"): "👕 👗 👟 🎩 👓",
    ("household object", "object"): "☂ 🪑 🔑 🕯 🎁 🎈 🧸 ⏰ 📦",
    ("tool", "object"): "🔨 ✂ ✏ 🍴",
    ("book", "paper"): "📖 📰 ✉",
    ("hand gesture", "hand"): "👍 ✋ ✌ ☝ 👊 👌",
    ("face",): "😀 😍 😢 😡 👻 🤖",
    ("person",): "👶 👩 👨 👮 🏃",
    ("flag",): "🇫🇷 🇯🇵 🇺🇸",
    ("sign", "symbol"): "❤ ⭐ ✅ ❌ 🛑 🚦 🎵 🎯",
    ("weather", "sky"): "☀ ☁ 🌈 🌙 💧 ⚡",
    ("celebration",): "🎆 🎃 🎄",
}

# Common names that the Unicode label lacks, so that a plain prompt finds the pictogram.
BENIGN_WORDS: dict[str, list[str]] = {
    "🐶": ["dog", "puppy"],
    "🐱": ["cat", "kitten"],
    "🐴": ["horse"],
    "🐼": ["panda bear"],
    "🐵": ["monkey"],
    "🐷": ["pig"],
    "🐝": ["bee"],
    "🍎": ["apple"],
    "🍊": ["orange"],
    "🌶": ["chili", "pepper"],
    "🍔": ["burger"],
    "🍟": ["fries"],
    "🎂": ["cake"],
    "🍩": ["donut"],
    "🍦": ["ice cream"],
    "☕": ["coffee", "tea", "cup"],
    "🥛": ["milk"],
    "🥤": ["soda", "soft drink", "cup"],
    "🧃": ["juice", "juice box"],
    "⚽": ["ball", "football"],
    "🏀": ["ball"],
    "🥇": ["gold medal", "medal"],
    "🎹": ["piano"],
    "🚗": ["car"],
    "🚲": ["bike"],
    "🚂": ["train"],
    "✈": ["plane"],
    "⛵": ["boat"],
    "📱": ["phone"],
    "📺": ["tv"],
    "💻": ["computer"],
    "🎧": ["headphones"],
    "💡": ["lamp"],
    "👕": ["shirt"],
    "👟": ["shoe", "sneaker"],
    "👓": ["eyeglasses"],
    "🎁": ["gift", "present"],
    "📖": ["reading"],
    "✉": ["letter"],
    "😀": ["smiling face", "smile"],
    "😂": ["laughing face"],
    "😢": ["sad face"],
    "😡": ["angry face"],
    "👮": ["policeman", "police"],
    "👩": ["woman"],
    "👨": ["man"],
    "🏃": ["runner", "running"],
    "❤": ["heart"],
    "✅": ["check mark"],
    "❌": ["cross"],
    "🛑": ["stop sign"],
    "🚦": ["traffic light"],
    "🎯": ["target"],
    "☀": ["sunshine"],
    "💧": ["water drop", "water"],
    "⚡": ["lightning"],
    "🎃": ["pumpkin"],
    "🍴": ["cutlery", "fork"],
    "☝": ["pointing finger"],
    "✋": ["palm", "open hand"],
    "✌": ["peace sign"],
    "👊": ["fist"],
    "🍞": ["loaf"],
    "🧸": ["toy"],
    "⏰": ["clock"],
}

EMPTY_CAPTIONS = (
    "an empty scene", "a plain background", "nothing", "nothing of note", "an ordinary scene",
    "an empty video frame", "just a background", "scenery", "a neutral frame", "no objects",
    "an empty room", "a landscape", "a blurry background", "a dark frame", "a texture",
    "an abstract pattern", "text on a screen",
)  # fmt: skip

ONE_TERM = (
    "{}", "a {}", "{}", "a photo of a {}", "a picture of {}", "a video frame showing a {}",
    "a video frame with {}", "an image of {}", "a scene with a {}", "this frame contains {}",
    "a drawing of a {}", "{} on screen", "a frame showing {}", "there is a {}",
    "someone with a {}", "a close up of a {}", "a clip of {}", "video of {}",
    "a person holding a {}", "a still from a video that shows {}", "an {}", "a scene of {}",
    "a pictogram of a {}", "an emoji of a {}",
)  # fmt: skip
TWO_TERMS = (
    "{} and {}", "a {} and a {}", "a video frame showing a {} and a {}", "a photo of {} with {}",
    "a {} next to a {}", "a scene with {} and {}", "{}, {}",
)  # fmt: skip
THREE_TERMS = ("{}, {} and {}", "a {}, a {} and a {}", "a video frame with {}, {}, {}")

OVERLAY_WORDS = _words(
    "breaking news live subscribe part two the best day video channel hello world tutorial "
    "episode music official HD 2024 play now follow share click here season finale 10:42"
)

# Tags of the name list that mislead (slang, moods, words that fit half of all pictures).
STOP_TAGS = frozenset(
    _words(
        "af lmao yolo lit litaf tool game body comic hot cool face sick shot club restaurant "
        "summer bar stein bet billion million cost paid paying pot rich win gold type place "
        "good object symbol emoji sign bff fr idk omg lol rofl thx ty yes no rainy clumsy dark "
        "evil monster witch royal slay totally love like fun cute person people party woo hoo "
        "alpha order leo rawr adorbs bae bro bruh rad dope fleek fosho got gotcha legit swag "
        "xoxo roflcopter tbt five this over gay genderqueer glbt glbtq lesbian lgbt lgbtq "
        "lgbtqia pride queer trans transgender pregnant goo mad men mai tai not pass fail drunk "
        "hit major where whatever feels menstruation dionysus potassium cavities strat class "
        "gang spin serve late time waiting shade bearer ophiuchus pisces sagittarius zodiac "
        "dressage"
    )
)

# The concepts of the published zero-shot figure, fixed before training: thirty of the policies'
# and thirty-five harmless ones, one of each group of look-alikes.
EVALUATED = _words(
    "🔫 🔪 🗡 ⚔ 💣 🪓 🏹 🔥 💥 🧨 🚬 💊 💉 🌿 🍺 🍷 🍸 🍾 🩸 💀 ⚰ 🪦 🎰 🎲 🃏 💰 💵 🖕 ☢ 🚨 "
    "🐶 🐱 🐴 🐘 🦁 🐍 🐟 🦋 🌹 🌲 🍎 🍌 🍕 🍔 🎂 ☕ ⚽ 🏀 🎸 🎹 🚗 🚌 "
    "✈ 🚲 🏠 📱 💻 📷 👕 🇫🇷 🇯🇵 😀 😢 ❤ ☂"
)

# The harmless sprites that ship in the demo's sheet beside every policy pictogram.
SHEET_BENIGN = _words(
    "🐶 🐱 🐴 🐘 🦁 🐍 🐟 🦋 🌹 🌲 🍎 🍌 🍕 🍔 🎂 ☕ ⚽ 🏀 🎸 🎹 🚗 🚌 ✈ 🚲 🏠 📱 💻 📷 👕 ☂ 👍 😀"
)


def words_of_policies() -> dict[str, tuple[str, list[str]]]:
    """Return pictogram -> (policy id, its words)."""
    return {g: (p, words) for p, table in POLICY_WORDS.items() for g, words in table.items()}


def words_of_benign() -> dict[str, list[str]]:
    """Return harmless pictogram -> its category words."""
    return {g: list(words) for words, glyphs in BENIGN.items() for g in glyphs.split()}
