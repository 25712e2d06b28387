"""The dialogs that import a set and add images to one."""

from lnl_core.services.datasets import catalog, growing, incoming, settings
from lnl_core.store import datasets
from tests.data.making import encoded, picture
from tests.data.test_import_hub import shard


def test_the_import_dialog_asks_what_is_no_class(workspace, desk, tmp_path, no_worker):
    for name in ("cat", "dog", "Not sure"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.png").write_bytes(encoded(picture(), "PNG"))
    app = desk("data")
    app.session_state["path_folder"] = str(tmp_path / "photos")
    app.session_state["import_kind"] = "folder"
    app.run()
    assert not app.exception
    (asked,) = [each for each in app.button_group if "nobody labelled" in each.label]
    assert [str(option) for option in asked.options] == ["Not sure"]
    assert asked.value == []  # a question, not an answer


def test_the_import_dialog_asks_before_it_imports(workspace, desk, tmp_path, no_worker, texts):
    for name in ("Cat", "cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        (tmp_path / "photos" / name / "1.png").write_bytes(encoded(picture(), "PNG"))
    app = desk("data")
    app.session_state["path_folder"] = str(tmp_path / "photos")

    def reopened():
        app.session_state["import_kind"] = "folder"
        app.run()
        assert not app.exception
        return next(each for each in app.button if each.key == "import_folder")

    assert reopened().disabled
    assert "Answer 1 question first" in texts(app)
    (asked,) = [each for each in app.radio if "differ only in case" in each.label]
    asked.set_value("merge")
    assert not reopened().disabled
    assert "2 classes" in texts(app)
    assert "**cat**" in texts(app)


def photos(folder, classes=("cat", "dog"), n=3):
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(n):
            (folder / name / f"{i}.png").write_bytes(encoded(picture(), "PNG"))
    return folder


def dialog(app, path):
    app.session_state["path_folder"] = str(path)
    app.session_state["import_kind"] = "folder"
    app.run()
    assert not app.exception
    return app


def test_the_dialog_names_the_recipe_its_cost_and_two_ways_to_go_on(
    desk, workspace, tmp_path, texts
):
    app = dialog(desk("data"), photos(tmp_path / "photos"))
    said = texts(app)
    assert "Recipe for" in said
    assert "first queue about" in said
    assert "GB of memory at most" in said
    labels = {b.label: b.proto.type for b in app.button}
    assert labels["Import and score"] == "primary"
    assert labels["Import only"] == "secondary"


def test_one_press_imports_and_scores_and_the_other_imports_only(
    desk, workspace, tmp_path, monkeypatch
):
    started = []
    monkeypatch.setattr(incoming, "_launch", lambda ws, values: started.append(values))
    for key in ("import_folder", "only_folder"):
        app = dialog(desk("data"), photos(tmp_path / key))
        app.session_state["import_kind"] = "folder"
        app.button(key=key).click().run()
        assert not app.exception
    assert [(each["name"], each["score"]) for each in started] == [
        ("import_folder", True),
        ("only_folder", False),
    ]


def test_a_taken_name_is_not_proposed(desk, workspace, tiny, tmp_path):
    app = dialog(desk("data"), photos(tmp_path / "tiny"))
    (field,) = [each for each in app.text_input if each.label == "Name"]
    assert field.value == "tiny 2"


def test_folders_can_be_walked_through(desk, workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("LNL_DATA_ROOTS", str(tmp_path))
    photos(tmp_path / "birds" / "photos")
    app = desk("data")
    app.session_state["browsing_folder"] = True
    dialog(app, tmp_path / "birds")
    assert app.button(key="up_folder").label == "Up"
    names = [b.label for b in app.button if b.key.startswith("at_folder")]
    assert names == ["photos"]


def test_the_dialog_that_adds_images_asks_as_the_import_does(
    workspace, desk, tiny, tmp_path, texts
):
    photos(tmp_path / "more", ("bar", "Bar"))
    app = desk(dataset="tiny")
    app.session_state["data_tab"] = "Settings"
    app.session_state["add_path"] = str(tmp_path / "more")
    app.run()

    def reopened():
        next(each for each in app.button if each.key == "add_images").click().run()
        assert not app.exception
        return next(each for each in app.button if each.key == "add_go")

    assert reopened().disabled
    (asked,) = [each for each in app.radio if "differ only in case" in each.label]
    asked.set_value("merge")
    assert not reopened().disabled
    assert "1 class" in texts(app)


def test_the_dialog_that_adds_images_says_what_is_new_and_what_is_there(
    workspace, desk, tiny, tmp_path, texts
):
    source = photos(tmp_path / "more", ("bar", "zebra"))
    growing.add_images(tiny, photos(tmp_path / "some", ("bar",)), new_classes=True)
    before = datasets.dataset(workspace, "tiny").n
    app = desk(dataset="tiny")
    app.session_state["data_tab"] = "Settings"
    app.session_state["add_path"] = str(source)
    app.run()
    app.button(key="add_images").click().run()
    assert not app.exception
    said = texts(app)
    assert f"Beside the {before} of this set: **" in said
    assert "there already" in said
    assert "No classes of this set: zebra; tick" in said
    assert datasets.dataset(workspace, "tiny").n == before


def test_the_dialog_that_adds_images_compares_again_when_it_is_opened_again(
    desk, tiny, tmp_path, texts
):
    source = photos(tmp_path / "more", ("bar",), n=1)
    app = desk(dataset="tiny")
    app.session_state["data_tab"] = "Settings"
    app.session_state["add_path"] = str(source)
    app.run()
    app.button(key="add_images").click().run()
    assert "**1 new image**" in texts(app)
    (source / "bar" / "other.png").write_bytes(encoded(picture(seed=9), "PNG"))
    app.button(key="add_images").click().run()
    assert not app.exception
    assert "**2 new images**" in texts(app)


def test_the_import_dialog_names_no_option_of_the_command_line(
    workspace, desk, tmp_path, no_worker
):
    source = photos(tmp_path / "photos")
    (tmp_path / "out.png").write_bytes((source / "cat" / "0.png").read_bytes())
    (source / "cat" / "linked.png").symlink_to(tmp_path / "out.png")
    app = desk("data")
    dialog(app, source)
    said = [each.value for each in (*app.caption, *app.warning, *app.error)]
    (left,) = [each for each in said if "A link that leads out" in each]
    assert "answer the question about links" in left
    assert not any("follow" in each for each in said)


def test_labels_that_an_addition_brings_are_allowed_by_the_box_that_the_error_names(
    workspace, desk, tiny, tmp_path, no_worker
):
    app = desk(dataset="tiny")
    app.session_state["data_tab"] = "Settings"
    app.session_state["add_path"] = str(photos(tmp_path / "more", ("bar", "zebra")))
    app.run()
    app.button(key="add_images").click().run()
    app.button(key="add_images").click()
    app.button(key="add_go").click().run()
    (error,) = [each.value for each in app.error]
    assert "“zebra”" in error
    assert "tick “Labels that this set does not have become classes”" in error
    assert "--" not in error


def test_an_error_of_a_list_and_answers_given_before_speak_of_the_page(
    workspace, desk, tmp_path, no_worker
):
    source = photos(tmp_path / "photos")
    (source / "list.csv").write_text("image,one,two\ncat/0.png,a,b\n")
    app = desk("data")
    app.session_state["path_list"] = str(source / "list.csv")
    app.session_state[f"answers_list_{source / 'list.csv'}"] = {"one_hot": "yes"}
    app.session_state["import_kind"] = "list"
    app.run()
    (error,) = [each.value for each in app.error]
    assert "no two columns of 0 and 1" in error
    assert "Take back the answer to the question about a column for each class" in error
    (back,) = [each for each in app.button if each.label.startswith("A column for each class")]
    back.click().run()
    assert not app.exception


def test_the_folder_of_parquet_files_is_chosen_in_the_dialog(
    workspace, desk, tmp_path, no_worker, texts
):
    shard(tmp_path / "s" / "coarse" / "train.parquet", [0, 1, 0], ("mammal", "bird"))
    shard(tmp_path / "s" / "fine" / "train.parquet", [0, 1, 2], ("cat", "emu", "dog"))
    app = dialog(desk("data"), tmp_path / "s")
    (question,) = [each for each in app.radio if "Parquet files" in each.label]
    assert ["“coarse”" in each for each in question.options] == [True, False, False]
    assert "1 file in “fine”" in question.options[1]
    question.set_value("fine")
    dialog(app, tmp_path / "s")
    assert not app.error
    assert "**emu**" in texts(app)
    assert not next(each for each in app.button if each.key == "import_folder").disabled


def test_two_lists_that_each_ask_for_a_column_are_answered_one_after_the_other(
    workspace, desk, tmp_path, no_worker, texts
):
    for at, (name, header) in enumerate((("train", "class,category"), ("val", "target,species"))):
        rows = [f"{at}{i}.png,{'ab'[i % 2]},{'aabb'[i % 4]}" for i in range(8)]
        for row in rows:
            path = tmp_path / "photos" / row.split(",")[0]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(encoded(picture(), "PNG"))
        (tmp_path / "photos" / f"{name}.csv").write_text("\n".join([f"image,{header}", *rows]))
    app = dialog(desk("data"), tmp_path / "photos")

    def question():
        return next(each for each in app.selectbox if "look like labels" in each.label)

    question().set_value("class")
    app = dialog(app, tmp_path / "photos")
    assert "has no “class”" in question().label
    question().set_value("class,species")
    app = dialog(app, tmp_path / "photos")
    assert not next(each for each in app.button if each.key == "import_folder").disabled


def test_more_of_a_set_that_came_from_a_list_is_looked_for_in_it(desk, workspace, tmp_path):
    names = ("cat", "dog", "Not sure")
    photos(tmp_path / "some", names)
    rows = [f"some/{name}/{i}.png,{name}" for name in names for i in range(3)]
    (tmp_path / "list.csv").write_text("\n".join(["image,label", *rows]))
    (tmp_path / "other.csv").write_text("image,label\n")  # the folder alone would be a question
    catalog.import_dataset(workspace, tmp_path / "list.csv", "listed")
    app = desk(dataset="listed")
    app.session_state["data_tab"] = "Settings"
    app.run()
    app.button(key="add_images").click().run()
    assert not app.exception
    assert app.text_input(key="add_path").value == str(tmp_path / "list.csv")
    said = settings.notes(datasets.dataset(workspace, "listed"))
    assert len([each for each in said if "Not sure" in each]) == 1  # not as a question as well
