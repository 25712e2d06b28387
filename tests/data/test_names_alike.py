"""Class names that may be one: escaped, numbered, plural, misspelled; and lists without any."""

import re

import pytest

from lnl_core.data import no_class
from lnl_core.data.reading import labels
from lnl_core.readings import Answers
from tests.data.asking import asked, counts, listed, put, read, stops


def questions(names, **answers):
    counted = names if isinstance(names, dict) else dict.fromkeys(names, 30)
    found = labels.understood(counted, Answers(**answers), from_cells=True)
    return {each.key: each for each in found.questions}


ONE = {
    "escaped for HTML": ("cat &amp; dog", "cat & dog"),
    "escaped for a URL": ("polar%20bear", "polar bear"),
    "blanks of a form": ("polar+bear", "polar bear"),
    "escaped for JSON": (r"caf\u00e9", "café"),
    "numbered": ("01_cat", "cat"),
    "with an id": ("n01_cat", "cat"),
    "with a WordNet id": ("n02123045_tabby", "tabby"),
    "counted": ("0: cat", "cat"),
    "called a label": ("label_cat", "cat"),
    "with an article": ("a cat", "cat"),
    "in brackets": ("(cat)", "cat"),
    "doubted": ("cat?", "cat"),
    "starred": ("cat*", "cat"),
    "ended as a folder": ("cat/", "cat"),
    "in a folder": ("animals/cat", "cat"),
    "in a folder of Windows": (r"animals\cat", "cat"),
    "called like an image": ("cat.jpg", "cat"),
    "in two splits": ("train/cat", "val/cat"),
}


@pytest.mark.parametrize(("other", "name"), ONE.values(), ids=ONE)
def test_a_class_that_is_written_in_two_ways_is_asked_about_and_merged(other, name):
    counted = {name: 30, other: 3, "horse": 30}
    question = questions(counted)["spellings"]
    assert question.is_open
    merged = labels.understood(counted, Answers(spellings="merge"), from_cells=True)
    best = "cat" if other == "train/cat" else name
    assert merged.class_names == sorted({best, "horse"}) or other == "train/cat"
    assert merged.meanings[other] == merged.meanings[name]
    kept = labels.understood(counted, Answers(spellings="keep"), from_cells=True)
    assert len(kept.class_names) == 3


NUMBERS = [("0x1", "1"), ("one", "1"), ("eins", "1"), ("III", "3"), ("class_1", "1")]


@pytest.mark.parametrize(("other", "name"), NUMBERS)
def test_one_number_in_two_ways_is_asked_about_and_merged_into_digits(other, name):
    counted = {name: 9, other: 30, "7": 9}
    assert questions(counted)["numbers"].is_open
    merged = labels.understood(counted, Answers(numbers="merge"), from_cells=True)
    assert merged.class_names == [name, "7"]


@pytest.mark.parametrize(
    ("counted", "open_"),
    [
        ({"cat": 40, "cats": 40}, False),
        ({"puppy": 30, "puppies": 2}, False),
        ({"leaf": 30, "leaves": 9}, False),
        ({"horse": 400, "house": 2}, False),  # two words
        ({"airplane": 200, "airplnae": 1}, True),
        ({"airplane": 29, "airplnae": 1}, True),
        ({"airplane": 9, "airplnae": 1}, None),  # too few to say that one is rare
        ({"automobile": 100, "automobil": 2}, True),
        ({"parrot": 100, "parot": 1}, True),
        ({"dog": 100, "dgo": 2}, False),
        ({"cat": 100, "catt": 5}, False),
        ({"cat": 200, "cst": 2}, False),
        ({"cat": 200, "bat": 2}, None),
        ({"fox": 2000, "ox": 1}, None),
        ({"bat": 40, "cat": 100, "car": 60, "cart": 30}, None),
        ({"cat": 2000, "car": 30}, None),
        ({"1": 200, "10": 2, "100": 1}, None),
    ],
)
def test_plurals_and_slips_are_said_and_stop_only_where_they_are_no_word(counted, open_):
    question = questions(counted | {"emu": 30}).get("alike")
    if open_ is None:
        assert question is None
        return
    assert question.is_open == open_
    assert question.taken == ("" if open_ else "keep")
    merged = labels.understood(counted | {"emu": 30}, Answers(alike="merge"), from_cells=True)
    usual = max(counted, key=lambda name: counted[name])
    assert merged.class_names == sorted([usual, "emu"])


@pytest.mark.parametrize("other", ["été1", "été_1", "ÉTÉ 2"])
def test_a_numbered_name_beside_the_name_is_said_with_accents_too(other):
    assert "alike" in questions({"été": 30, other: 9, "emu": 3})
    assert "alike" not in questions({other: 9, "emu": 3})


@pytest.mark.parametrize("other", ["cat_1", "cat-2", "cat2", "cat 3", "Cat_1"])
def test_a_class_that_another_one_is_with_a_number_is_said(other):
    counted = {"cat": 9, other: 40, "emu": 30}
    question = questions(counted)["alike"]
    assert not question.is_open
    merged = labels.understood(counted, Answers(alike="merge"), from_cells=True)
    assert merged.class_names == ["cat", "emu"]
    assert "alike" not in questions({other: 9, "emu": 3, "type_1": 4, "type_2": 5})


def test_a_slip_in_a_folder_of_classes_stops_the_import_and_an_option_settles_it(tmp_path):
    names = [f"airplane/{i}.png" for i in range(60)] + ["airplnae/0.png"]
    source = put(tmp_path / "s", [*names, *(f"ox/{i}.png" for i in range(9))])
    assert "--alike merge or keep" in stops(source, "alike", tmp_path)
    assert counts(read(source, alike="merge")) == {"airplane": 61, "ox": 9}
    assert counts(read(source, alike="keep")) == {"airplane": 60, "airplnae": 1, "ox": 9}


def test_rows_of_bits_are_said_and_stop_where_several_are_set():
    assert not questions(["100", "010", "001"])["measured"].is_open
    assert questions(["100", "010", "001", "110"])["measured"].is_open
    assert "measured" not in questions(["00", "01", "10", "11"])
    assert "measured" not in questions(["101", "102", "103"])


@pytest.mark.parametrize(
    "word", ["x", "XX", "nieznany", "okänd", "unknown2", "sonstiges", "不确定"]
)
def test_more_words_for_nobody_knows(word):
    assert no_class.likely(["cat", "dog", word]) == (word,)


def test_a_cross_among_letters_is_a_letter():
    assert no_class.likely(list("abcdefx")) == ()
    assert no_class.likely(["x", "o"]) == ()
    assert no_class.likely(["class1", "item3"]) == ()


CIFAR_100 = (
    "apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus "
    "butterfly camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach "
    "couch crab crocodile cup dinosaur dolphin elephant flatfish forest fox girl hamster "
    "house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree "
    "motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear "
    "pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray road rocket "
    "rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar "
    "sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip "
    "turtle wardrobe whale willow_tree wolf woman worm "
)

RIGHT = {
    "digits": list("0123456789"),
    "to a hundred": [str(i) for i in range(1, 101)],
    "sizes": ["XXS", "XS", "S", "M", "L", "XL", "XXL", "2XL", "3XL", "38", "40", "42"],
    "grades": ["A*", "A+", "A", "A-", "B+", "B", "B-", "C", "D"],
    "letters and digits": list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "Roman": ["I", "II", "III", "IV"],
    "stages": ["stage_1", "stage_2", "stage_3", "normal"],
    "signs": [f"{i:05d}" for i in range(43)],
    "leaves": ["Tomato___Early_blight", "Tomato___Late_blight", "Tomato___healthy"],
    "Fashion-MNIST": [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Bag",
    ],
    "words of two": ["ski", "mask", "ski mask", "hot dog", "teddy bear", "stop sign", "wine glass"],
    "CIFAR-100": CIFAR_100.split(),
}


def tails(names):
    """The same classes, the most frequent of which has a thousand images for one of the rarest."""
    for turn in range(4):
        order = [*names[turn::4], *names[: turn + 1]]
        order += [name for name in names if name not in order]
        last = len(order) - 1
        yield {name: max(1, round(1000 * 0.001 ** (at / last))) for at, name in enumerate(order)}


@pytest.mark.parametrize("names", RIGHT.values(), ids=RIGHT)
def test_right_lists_of_classes_stop_no_import(names):
    assert questions(names) == {}
    for counted in tails(names):
        assert [each for each in questions(counted).values() if each.is_open] == []


def test_the_classes_of_imagenet_stop_no_import():
    info = pytest.importorskip("timm.data.imagenet_info").ImageNetInfo("imagenet-1k")
    names = info.label_descriptions()
    assert len(names) == 1000
    assert [each.key for each in questions(names).values() if each.is_open] == []
    for counted in tails(names):
        assert [each.key for each in questions(counted).values() if each.is_open] == []


def test_columns_that_stay_behind_are_named(tmp_path):
    source = tmp_path / "s"
    put(source, ["a.png", "b.png"])
    rows = "image,label,camera,date\na.png,cat,A,1\nb.png,dog,B,2\n"
    (source / "list.csv").write_text(rows)
    notes = " ".join(read(source).notes)
    assert re.search("Columns “camera”, “date” are not taken along", notes)
    plain = listed(tmp_path / "t", ["cat", "dog"] * 3)
    assert "not taken along" not in " ".join(read(plain).notes)
    hot = tmp_path / "h"
    put(hot, ["a.png", "b.png"])
    (hot / "list.csv").write_text("image,cat,dog\na.png,1,0\nb.png,0,1\n")
    assert "not taken along" not in " ".join(read(hot, one_hot="yes").notes)
    assert asked(read(plain)) == {}
