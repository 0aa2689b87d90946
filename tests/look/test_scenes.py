"""No page escapes being looked at: each URL is in a scene, or in the list of those that are no page."""

from collections import Counter
from collections.abc import Iterator, Sequence

from django.urls import URLPattern, URLResolver, get_resolver, path

from privacy.contact import views
from tests.look.scenes import NO_PAGE, SCENES


def names(entries: Sequence[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Yield the name of every URL, those of the back-office included."""
    for entry in entries:
        if isinstance(entry, URLPattern):
            yield f"{prefix}{entry.name}"
        else:
            yield from names(entry.url_patterns, f"{prefix}{entry.namespace}:" if entry.namespace else prefix)


def escaping(entries: Sequence[URLPattern | URLResolver]) -> set[str]:
    """Return the names of URLs that nobody looks at and that are not said to be no page."""
    return set(names(entries)) - {scene.page for scene in SCENES} - set(NO_PAGE)


def test_every_url_is_looked_at_or_no_page() -> None:
    assert escaping(get_resolver().url_patterns) == set()


def test_a_new_page_is_missed() -> None:
    new = path("news/", views.contact, name="news")

    assert escaping([*get_resolver().url_patterns, new]) == {"news"}


def test_what_is_no_page_exists_and_is_in_no_scene() -> None:
    assert set(NO_PAGE) <= set(names(get_resolver().url_patterns))
    assert set(NO_PAGE).isdisjoint(scene.page for scene in SCENES)


def test_no_scene_stands_there_twice() -> None:
    assert [scene for scene, times in Counter(map(str, SCENES)).items() if times > 1] == []
