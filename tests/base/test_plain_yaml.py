"""YAML from anywhere: plain values, or one line; no text of a few bytes costs more than its bytes."""

import pytest
import yaml

from pipeline.base.errors import FileError, SettingsError
from pipeline.base.plain_yaml import check_folder, read_yaml
from pipeline.cli import dispatch
from pipeline.sweep.grid import read_grid

BOMB = b"a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n".encode() for n in range(1, 30)
)
HOSTILE = {
    "nested anchors": (BOMB, "its anchors stand for"),
    "an anchor that holds itself": (b"a: &a [*a]\n", "holds itself or is not there"),
    "deep": (b"[" * 5_000_000, "is nested more than 32 deep"),
    "deep in blocks": (b"- " * 100_000, "is nested more than 32 deep"),
    "an object": (b"points: !!python/object/apply:os.abort []\n", "could not determine a constructor"),
    "a module": (b"points: !!python/module:antigravity {}\n", "could not determine a constructor"),
    "no text": (b"\xff\xfe\xff", "."),
    "open": (b"{a: [", "while parsing"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_yaml_is_one_line_wherever_a_grid_is_read(name, tmp_path):
    content, said = HOSTILE[name]
    with pytest.raises(ValueError, match=said) as caught:
        read_yaml(content)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(FileError, match=r"config\.yaml: is not a grid .*; train writes a new one$"):
        read_grid(tmp_path)


def test_plain_yaml_and_an_anchor_or_two_are_read_as_they_stand():
    text = b"a: &x [1, 2.5, null, 'y']\nb: *x\nc: {d: *x}\n"
    assert read_yaml(text) == yaml.safe_load(text)


def test_files_of_conf_are_looked_at_before_hydra_follows_their_anchors(tmp_path, place):
    folder = tmp_path / "mine" / "experiment"
    folder.mkdir(parents=True)
    (folder / "bomb.yaml").write_bytes(BOMB)
    (folder / "no.yaml").write_bytes(b"{")
    with pytest.raises(SettingsError, match=r"bomb\.yaml: cannot be read \(line \d+: its anchors stand for \d+ values"):
        check_folder(tmp_path)
    with pytest.raises(SettingsError, match="its anchors stand for") as caught:
        dispatch(["train", "--config-dir", str(folder.parent), "experiment=bomb", *place])
    assert len(caught.value.faults) == 1 and not (tmp_path / "experiments").exists()
