"""Word lists and sentences, written for this set of prompts."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _pairs(text: str) -> dict[str, str]:
    return {left: right for left, _, right in (pair.partition(":") for pair in text.split())}


COMMON = _words(
    "apple arrow autumn banana basket beach bird blanket bottle bread bridge brother butter button "
    "camera candle carpet castle cheese cherry church circle cloud coffee corner cotton cousin desert "
    "dinner doctor dragon eagle engine evening family farmer feather finger flower forest friend garden "
    "ginger guitar hammer harbour honey horse hunter island jacket journey kettle kitchen ladder lemon "
    "letter library lion market meadow mirror monkey morning mother mountain museum needle number ocean "
    "office onion orange orchestra owl painter paper parrot pencil pepper piano picture pillow planet "
    "pocket potato queen rabbit rain river robot rocket salad sand school shadow sheep ship silver "
    "sister snow soldier spoon spring square star station stone storm street sugar summer table teacher "
    "tiger tomato tower train turtle umbrella uncle valley village violin water weather whale window "
    "winter wizard"
)

CAPITALS = _pairs(
    "France:Paris Germany:Berlin Italy:Rome Spain:Madrid Japan:Tokyo China:Beijing Russia:Moscow "
    "Egypt:Cairo Canada:Ottawa Australia:Canberra Portugal:Lisbon Greece:Athens Austria:Vienna "
    "Poland:Warsaw Hungary:Budapest Norway:Oslo Sweden:Stockholm Denmark:Copenhagen Finland:Helsinki "
    "Ireland:Dublin Belgium:Brussels Turkey:Ankara Iran:Tehran Iraq:Baghdad Kenya:Nairobi Ghana:Accra "
    "Cuba:Havana Peru:Lima Chile:Santiago Thailand:Bangkok Vietnam:Hanoi Nepal:Kathmandu "
    "Mongolia:Ulaanbaatar Kazakhstan:Astana Uruguay:Montevideo Senegal:Dakar Latvia:Riga "
    "Slovenia:Ljubljana Croatia:Zagreb Bulgaria:Sofia Romania:Bucharest Serbia:Belgrade "
    "Iceland:Reykjavik Zambia:Lusaka Angola:Luanda Jordan:Amman Lebanon:Beirut Qatar:Doha "
    "Bhutan:Thimphu"
)

FACTS = {
    "How many legs does a spider have?": "8",
    "How many legs does an insect have?": "6",
    "How many continents are there on Earth?": "7",
    "How many days are there in a leap year?": "366",
    "How many sides does a hexagon have?": "6",
    "How many players does a football team have on the pitch?": "11",
    "How many strings does a violin have?": "4",
    "How many planets orbit the Sun?": "8",
    "In which year did the Second World War end?": "1945",
    "In which year did people first walk on the Moon?": "1969",
    "At how many degrees Celsius does water boil at sea level?": "100",
    "How many minutes does a quarter of an hour have?": "15",
    "How many bones does an adult human have?": "206",
    "What is the atomic number of carbon?": "6",
    "What is the atomic number of gold?": "79",
}

ANTONYMS = _pairs(
    "hot:cold big:small fast:slow happy:sad light:dark open:closed up:down left:right early:late "
    "full:empty rich:poor hard:soft wet:dry young:old strong:weak high:low near:far clean:dirty "
    "loud:quiet brave:cowardly ancient:modern cheap:expensive deep:shallow sharp:blunt sweet:bitter "
    "wide:narrow thick:thin smooth:rough love:hate win:lose buy:sell push:pull begin:end accept:reject "
    "arrive:depart increase:decrease remember:forget laugh:cry victory:defeat success:failure "
    "friend:enemy day:night summer:winter north:south east:west black:white inside:outside above:below "
    "always:never temporary:permanent guilty:innocent expand:contract generous:stingy maximum:minimum "
    "transparent:opaque scarce:abundant"
)

LANGUAGES = ("French", "Spanish", "German")
TRANSLATIONS = {
    row.split()[0]: tuple(row.split()[1:])
    for row in (
        "dog chien perro hund", "cat chat gato katze", "house maison casa haus", "water eau agua wasser",
        "bread pain pan brot", "book livre libro buch", "red rouge rojo rot", "green vert verde grün",
        "night nuit noche nacht", "day jour día tag", "sun soleil sol sonne", "moon lune luna mond",
        "tree arbre árbol baum", "fish poisson pez fisch", "milk lait leche milch",
        "school école escuela schule",
        "friend ami amigo freund", "mother mère madre mutter", "father père padre vater",
        "hand main mano hand", "head tête cabeza kopf", "heart cœur corazón herz", "city ville ciudad stadt",
        "street rue calle straße", "door porte puerta tür", "window fenêtre ventana fenster",
        "table table mesa tisch", "chair chaise silla stuhl", "horse cheval caballo pferd",
        "bird oiseau pájaro vogel", "apple pomme manzana apfel", "cheese fromage queso käse",
        "winter hiver invierno winter", "summer été verano sommer", "white blanc blanco weiß",
        "black noir negro schwarz", "one un uno eins", "two deux dos zwei", "three trois tres drei",
        "ten dix diez zehn", "snow neige nieve schnee", "rain pluie lluvia regen", "fire feu fuego feuer",
        "sea mer mar meer", "mountain montagne montaña berg", "flower fleur flor blume",
    )
}  # fmt: skip

POSITIVE = (
    "The soup was delicious and the waiter could not have been kinder.",
    "I laughed from the first scene to the last.",
    "This is the best pair of boots I have ever owned.",
    "Our room was spotless and the view took our breath away.",
    "The battery lasts for days, exactly as promised.",
    "A wonderful book that I will read again.",
    "The staff went out of their way to help us.",
    "I was worried about the price, but it is worth every penny.",
    "Not a single dull minute in the whole concert.",
    "The repair was quick and the bicycle rides like new.",
    "My children love this game and ask for it every evening.",
    "Fresh fish, friendly service, and a lovely terrace.",
    "I could not put this novel down.",
    "The museum is a treasure; we stayed until it closed.",
    "Setup took two minutes and everything just worked.",
    "She sings with warmth and perfect control.",
    "I expected little and was happily surprised.",
    "The coat keeps me warm even in a storm.",
    "Never had a problem with it in five years.",
    "What a charming little hotel!",
    "The course explains hard ideas clearly and with humour.",
    "Crisp picture, rich sound, easy menus.",
    "The doctor listened carefully and took away my fears.",
    "A generous portion of superb pasta.",
    "The garden tour was a delight from start to finish.",
    "You will not regret buying this lamp.",
    "The train was punctual and the seats were comfortable.",
    "It is hard to find fault with this excellent knife.",
    "The ending moved me to tears of joy.",
    "Beautiful fabric and a flawless finish.",
)
NEGATIVE = (
    "The soup was cold and the waiter ignored us for an hour.",
    "I nearly fell asleep in the second act.",
    "These boots fell apart after a week.",
    "Our room smelled of smoke and the sheets were dirty.",
    "The battery is dead by noon.",
    "A boring book with a plot that goes nowhere.",
    "The staff were rude and nobody said sorry.",
    "It was cheap, and now I know why.",
    "Not worth the wait, and certainly not worth the money.",
    "The repair took a month and the noise is still there.",
    "My children were disappointed and the game broke on day one.",
    "Stale bread, watery coffee, and a sticky table.",
    "I gave up after fifty pages.",
    "The museum was closed and the website did not mention it.",
    "Setup failed three times and support never answered.",
    "He sings off key and forgets the words.",
    "I expected a lot and was badly let down.",
    "The coat lets the rain straight through.",
    "It stopped working on the second day.",
    "What a dreadful little hotel!",
    "The course is confusing and full of mistakes.",
    "Blurry picture, tinny sound, awful menus.",
    "The doctor was in a hurry and did not listen.",
    "A tiny portion of overcooked pasta.",
    "The garden tour was a waste of an afternoon.",
    "You will be sorry if you buy this lamp.",
    "The train was late again and the seats were filthy.",
    "It is hard to find anything good to say about this knife.",
    "The ending made me angry.",
    "Cheap fabric and crooked seams.",
)

TOPICS = {
    "sport": (
        "The striker scored twice in the final minutes.", "She won the marathon in record time.",
        "The goalkeeper saved a penalty.", "Both teams trained on the wet pitch.",
        "The champion served eleven aces.", "The referee showed a red card.", "He broke the javelin record.",
        "The swimmers warmed up before the relay.", "The coach changed the line-up at half-time.",
        "Fans cheered as the cyclists sprinted to the line.", "The rowing crew took silver.",
        "A late basket won the game.",
    ),
    "food": (
        "Whisk the eggs and fold in the flour.", "Let the dough rise for an hour.",
        "Add garlic and simmer the sauce.", "The cake needs forty minutes in the oven.",
        "Serve the salad with olive oil.", "Chop the onions finely.", "The cheese is aged for a year.",
        "Grill the fish with lemon.", "Season the stew with thyme.", "She peeled the potatoes for dinner.",
        "Melt the chocolate slowly.", "The chef tasted the soup.",
    ),
    "weather": (
        "Heavy rain is expected in the afternoon.", "Fog will clear by noon.",
        "A cold front brings snow to the hills.", "Winds reach gale force on the coast.",
        "Tomorrow stays sunny and dry.", "Thunderstorms are moving east.", "Frost is likely overnight.",
        "The heatwave ends on Friday.", "Light showers, then brighter spells.",
        "Hail damaged the orchards.", "Temperatures fall below zero.", "Clouds will thin out by evening.",
    ),
    "money": (
        "The bank raised its interest rate.", "Shares fell after the profit warning.",
        "She opened a savings account.", "The company will pay a higher dividend.",
        "Inflation slowed for the third month.", "He repaid the loan early.",
        "The budget cuts taxes on fuel.",
        "Investors sold their bonds.", "The currency lost a tenth of its value.",
        "The firm reported record earnings.", "They signed a mortgage for the flat.",
        "Wages rose faster than prices.",
    ),
    "science": (
        "The telescope found a distant galaxy.", "Researchers measured the speed of the reaction.",
        "The cell divides every twenty minutes.", "A new enzyme breaks down plastic.",
        "The probe sent pictures of the comet.", "Genes are copied before the cell splits.",
        "Physicists trapped a single atom.", "The fossil is eighty million years old.",
        "The vaccine passed its laboratory tests.", "Electrons flow through the crystal.",
        "The bacteria survived without oxygen.", "Their model explains how stars collapse.",
    ),
}  # fmt: skip

SPELLING = _words(
    "accommodate address argument beautiful beginning believe business calendar careful cemetery "
    "chocolate committee completely conscience daughter decision definitely different disappear "
    "embarrass environment excellent exercise experience favourite february foreign forty friend "
    "government grammar guarantee happened immediately important independent interesting knowledge "
    "language library medicine mountain necessary neighbour occasion occurred opposite parliament "
    "particular physical possible potatoes probably question receive recommend restaurant rhythm "
    "separate similar sincerely straight strength surprise temperature tomorrow tongue truly umbrella "
    "vegetable weather weird welcome yesterday"
)
