"""What is known of the columns of a whole list."""

from lnl_core.data.reading import surveying


def write(path, rows, header="path,label,class"):
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_values_are_counted_over_all_rows_of_all_lists_and_names_are_not_kept(tmp_path):
    one = write(tmp_path / "a.csv", [f"{at}.png,{at // 20_000},x" for at in range(50_000)])
    two = write(tmp_path / "b.csv", ["a.png,7,"])
    found = surveying.counts([one, two], ["path", "label", "class"], True)
    assert found["label"] == {"0": 20_000, "1": 20_000, "2": 10_000, "7": 1}
    assert found["class"] == {"x": 50_000, "": 1}
    assert not found["path"]
    write(two, ["a.png,8,y"])
    again = surveying.counts([one, two], ["path", "label", "class"], True)
    assert again["label"]["8"] == 1  # the list as it is now


def test_columns_that_part_the_rows_otherwise_are_named_with_the_list_that_does(tmp_path):
    one = write(tmp_path / "a.csv", ["a,cat,1", "b,dog,2", "c,cat,1"])
    two = write(tmp_path / "b.csv", ["a,dog,2", "b,dog,1"])
    assert surveying.differing([one], "label", ["class"], True) == {}
    assert surveying.differing([one, two], "label", ["class", "path"], True) == {
        "class": two,
        "path": one,
    }
    three = write(tmp_path / "c.csv", ["a,fox,1"])  # one of the other's parts has two here
    assert surveying.differing([one, three], "label", ["class"], True) == {"class": three}


def test_of_many_paths_that_differ_some_of_all_parts_of_the_list_are_kept(tmp_path):
    rows = [f"l/{at}.png,x,{'l' if at < 100 else 'r'}/{at}.png" for at in range(10_000)]
    rows += ["l/a.png,x,a.png", r"q\l\b.png,x,l/b.png"]
    listing = write(tmp_path / "a.csv", rows)
    kept = surveying.pairs_apart([listing], "path", "class", True)
    places = [int(one[2:-4]) for _, one, _ in kept]
    assert 500 < len(kept) <= 1_024
    assert min(places) >= 100
    assert places[0] < 200
    assert places[-1] > 9_900


def test_a_list_without_rows_leaves_the_columns_of_the_others(tmp_path):
    full, empty = write(tmp_path / "a.csv", ["a.png,cat,x"] * 3), write(tmp_path / "b.csv", [])
    for files in ([full, empty], [empty, full]):
        assert surveying.counts(files, ["label", "class"], True) == {
            "label": {"cat": 3},
            "class": {"x": 3},
        }


def test_long_cells_are_told_apart_and_not_kept_whole(tmp_path):
    long = "x" * 5_000
    listing = write(tmp_path / "a.csv", [f"a.png,{long}{end},x" for end in "abb"])
    found = surveying.counts([listing], ["label"], True)["label"]
    assert sorted(found.values()) == [1, 2]
    assert max(map(len, found)) < 300


def test_a_blank_cell_parts_no_rows_and_names_no_other_image(tmp_path):
    listing = write(tmp_path / "a.csv", ["a,cat,1", "b,dog,2", "c,cat,", "d,dog,"])
    assert surveying.differing([listing], "label", ["class"], True) == {}
    assert surveying.differing([listing], "class", ["label"], True) == {"label": listing}
    rows = ["a.png,x,a.png", "b.png,x,", ",x,c.png"]
    listing = write(tmp_path / "b.csv", rows)
    assert surveying.pairs_apart([listing], "path", "class", True) == [(listing, "", "c.png")]


def test_names_of_other_classes_and_names_of_a_few_rows_do_not_say_the_same(tmp_path):
    def differ(*pairs):
        rows = [f"im{at}.png,{one},{other}" for at, (one, other) in enumerate(pairs)]
        listing = write(tmp_path / "a.csv", rows)
        return bool(surveying.differing([listing], "label", ["class"], True))

    assert differ(("cat", "dog"), ("dog", "cat"))
    assert differ(("a", "b"), ("b", "c"), ("c", "a"))
    assert differ(("Cat", "dog"), ("Dog", "cat"))
    assert differ(("cat", "dog"), ("dog", ""), ("bird", ""))
    assert differ(("cat", "lynx"), ("cat", ""), ("dog", ""), ("dog", ""))
    assert differ(("0", "1"), ("1", "0"))
    assert differ(("0", "1"), ("1", ""), ("0", "1"))
    assert not differ(("cat", "Cat"), ("dog", "DOG"), ("dog", ""), ("cat", ""))
    assert not differ(("cat", "cat"), ("dog", "hound"))
    assert not differ(("0", "1"), ("1", "2"), ("2", "3"))
    assert not differ(("0", "cat"), ("1", "dog"), ("0", ""))
