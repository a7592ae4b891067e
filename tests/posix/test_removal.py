"""Removing what we made: all of it, only it, and never for ever."""

from __future__ import annotations

import os

from fsprobe.posix import removal


def test_a_tree_is_removed_and_links_are_not_followed(tmp_path):
    """A link in our directory would take a user's files with it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    top = tmp_path / "top"
    (top / "a/b").mkdir(parents=True)
    (top / "a/file").touch()
    (top / "a/link").symlink_to(outside)
    (top / "closed").mkdir(mode=0)
    os.mkfifo(top / "pipe")
    assert removal.remove_tree(str(top)) == []
    assert not top.exists()
    assert (outside / "precious").exists()


def test_what_was_never_there_is_no_leftover(tmp_path):
    """Every clean run would name leftovers."""
    assert removal.remove_tree(str(tmp_path / "never")) == []


def test_a_lying_rmdir_is_found_out(tmp_path, monkeypatch):
    """A daemon whose rmdir says yes and does nothing would litter unnoticed."""
    (tmp_path / "top/sub").mkdir(parents=True)
    monkeypatch.setattr(removal.os, "rmdir", lambda path: None)
    assert removal.remove_tree(str(tmp_path / "top")) == [str(tmp_path / "top"), str(tmp_path / "top/sub")]


def test_what_must_not_be_tried_is_not(tmp_path):
    """A daemon that hangs in UNLINK would hang again at every clean-up."""
    (tmp_path / "top/sub").mkdir(parents=True)
    (tmp_path / "top/file").touch()
    top = str(tmp_path / "top")
    assert removal.remove_tree(top, without=frozenset({"list"})) == [top]
    assert removal.remove_tree(top, without=frozenset({"unlink"})) == [top, f"{top}/file"]
    assert sorted(os.listdir(top)) == ["file"]


def test_the_walk_is_bounded(tmp_path, monkeypatch):
    """A directory without end would keep the worker."""
    for number in range(30):
        (tmp_path / str(number)).touch()
    monkeypatch.setattr(removal, "MAX_ENTRIES", 10)
    assert str(tmp_path) in removal.remove_tree(str(tmp_path))
    assert removal.remove_tree(str(tmp_path), seconds=-1) == [str(tmp_path)]
