from lnl_core.services import workspace as edge
from lnl_core.store import decisions


def test_first_visit_offers_the_demo_and_five_ways(desk, texts):
    app = desk()
    assert not app.exception
    assert app.title[0].value == "Find the wrong labels in an image set"
    primary = [button.label for button in app.button if button.proto.type == "primary"]
    assert primary == ["Open the demo"]
    assert len([b for b in app.button if b.key and b.key.startswith("way_")]) == 5
    assert "No data set yet. Open the demo or add your own." in texts(app)


def test_every_page_stands_without_a_data_set(desk, texts):
    for page in ("runs", "export"):
        app = desk(page)
        assert not app.exception
        assert "No data set yet. Open the demo or add your own." in texts(app)


def test_an_empty_page_says_where_one_is(desk):
    for name in ("Runs", "Review", "Explore", "Compare", "Export"):
        assert desk(name.lower()).title[0].value == name


def test_the_address_chooses_the_data_set(desk, tiny, hostile):
    assert desk(dataset="tiny").selectbox(key="dataset_select").value == "tiny"
    app = desk(dataset=hostile.name)
    assert app.selectbox(key="dataset_select").value == hostile.name
    app = app.selectbox(key="dataset_select").select("tiny").run()
    assert app.query_params["dataset"] in ("tiny", ["tiny"])
    app = app.switch_page("export.py").run()
    assert app.selectbox(key="dataset_select").value == "tiny"


def test_an_unknown_data_set_in_the_address_is_named(desk, tiny):
    app = desk(dataset="*gone*")
    assert not app.exception
    assert "\\*gone\\*" in app.toast[0].value
    assert app.selectbox(key="dataset_select").value == "tiny"


def test_parameters_of_other_pages_do_no_harm(desk, tiny):
    app = desk("runs", dataset="tiny", row="x", format="<b>", preset="*")
    assert not app.exception


def test_the_reviewer_stays_on_every_page(desk, workspace, tiny):
    for name in ("Ada", "Grace *bold*"):
        decisions.add_reviewer(workspace, name)
    app = desk()
    app.text_input(key="who_name").input("Hopper *bold*").run()
    assert not app.exception
    app = app.switch_page("export.py").run()
    assert app.session_state["reviewer"] == "Hopper *bold*"


def test_the_machine_can_name_the_reviewer(desk, tiny, monkeypatch):
    monkeypatch.setenv("LNL_REVIEWER", "Grace")
    assert desk().session_state["reviewer"] == "Grace"


def test_an_unexpected_error_goes_to_the_log_only(desk, workspace, tiny, monkeypatch, texts):
    def broken(*_):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("lnl_core.services.datasets.catalog.overview", broken)
    app = desk()
    assert not app.exception
    assert "Something went wrong" in texts(app)
    assert "secret detail" not in texts(app)
    assert "secret detail" in edge.log_file().read_text()


def test_hostile_names_stay_text(desk, hostile, texts):
    for page in (None, "runs", "export"):
        app = desk(page, dataset=hostile.name)
        assert not app.exception
        assert "<img src=x" not in texts(app)  # as a tag, also where a page writes HTML
        said = "\n".join(each.value for each in (*app.markdown, *app.caption))
        assert "<img" not in said
        assert "**evil**" not in said
        assert ":material/delete:" not in said
        assert "](http" not in said
