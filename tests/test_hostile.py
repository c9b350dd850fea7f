"""A hostile vocabulary stays text in what Python writes: the traits, the page, the SVG, the PNG."""

import json
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

import ctkit as ct

from .hostile import ENDLESS, MARKUP, TEXT, VOCABULARY, hostile_lm


@pytest.fixture(scope="module")
def playground():
    play = ct.Playground(hostile_lm(), TEXT, setup=ct.Reread(phrase=""), state={"n": 5})
    assert play.wait(120) and play.error is None
    return play


class Tags(HTMLParser):
    """The elements of a page."""

    def __init__(self):
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)


def test_each_part_is_a_token_and_is_sent_as_it_is(playground):
    frame = playground.frame
    assert playground.before["tokens"][-len(VOCABULARY) + 1 :] == list(VOCABULARY[:-1])
    assert {one["token"] for one in frame["next"]} <= set(VOCABULARY)
    assert len(frame["sentence"]) < 300
    json.dumps(playground.state), json.dumps(playground.catalog)


def test_the_page_holds_no_element_of_the_vocabulary(playground, tmp_path):
    page = playground.to_html(tmp_path / "page.html").read_text("utf-8")
    plain = (
        ct.Playground(ct.load(), "The key is in the box.", state={"n": 5})
        .to_html(tmp_path / "plain.html")
        .read_text("utf-8")
    )
    tags = []
    for text in (page, plain):
        parser = Tags()
        parser.feed(text)
        tags.append(parser.tags)
    assert tags[0] == tags[1], "the same elements as for a text without markup"
    assert all(words not in page for words in MARKUP[:2])


@pytest.mark.filterwarnings("ignore:Glyph")  # a font without some picture draws a box in its place
def test_the_pictures_hold_the_vocabulary_as_text(playground, tmp_path):
    root = ElementTree.parse(playground.to_svg(tmp_path / "a.svg")).getroot()
    names = [one.tag.rpartition("}")[2] for one in root.iter()]
    assert not {"script", "foreignObject", "img", "a"} & set(names)
    pictures = [value for one in root.iter() for name, value in one.items() if name.endswith("href")]
    assert all(value.startswith(("data:image/png", "#")) for value in pictures), "nothing is fetched"
    assert playground.to_png(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert ENDLESS not in (tmp_path / "a.svg").read_text("utf-8")
