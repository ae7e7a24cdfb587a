"""The rule of the floors: imports point to earlier rooms and stand at the top of files."""

import ast
import pathlib

import pytest

PACKAGE = pathlib.Path(__file__).parents[1] / "dvae_tf"
# Rooms of one floor do not import each other.
FLOORS = (
    ("files", "extras", "progress"),
    ("data",),
    ("networks", "priors"),
    ("losses",),
    ("models",),
    ("tasks",),
    ("evaluation",),
    ("runs",),
    ("drawing", "export", "serving"),
    ("commands",),
    ("__main__",),
)
FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
MOST_ROOMS = 18
MOST_INSIDE = 15


def modules():
    """Each module of the package with its dotted name and its syntax tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(part for part in ("dvae_tf", *parts) if part != "__init__")
        yield name, path, ast.parse(path.read_text())


TREES = {name: (path, tree) for name, path, tree in modules()}


def imported(name, path, node):
    """The modules of the package that an import statement names."""
    if isinstance(node, ast.Import):
        found = [alias.name for alias in node.names]
    else:
        assert not node.level, f"{path}:{node.lineno}: a relative import"
        both = [f"{node.module}.{alias.name}" for alias in node.names]
        found = [full if full in TREES else node.module for full in both]
    return [other for other in found if other.split(".")[0] == "dvae_tf" and other != name]


def imports(inside):
    """(module, line, module that it imports), at the top of files or inside functions."""
    for name, (path, tree) in TREES.items():
        functions = (ast.FunctionDef, ast.AsyncFunctionDef)
        within = {
            id(node)
            for function in ast.walk(tree)
            if isinstance(function, functions)
            for node in ast.walk(function)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and (id(node) in within) == inside:
                yield name, node, imported(name, path, node)


def room(module):
    return module.split(".")[1] if "." in module else ""


def test_imports_point_to_earlier_floors():
    wrong = [
        f"{name}:{node.lineno} imports {other}"
        for inside in (False, True)
        for name, node, others in imports(inside)
        for other in others
        if room(name)
        and room(other)
        and room(name) != room(other)
        and FLOOR_OF[room(other)] >= FLOOR_OF[room(name)]
    ]
    assert not wrong, "\n".join(wrong)


def test_there_are_no_circles():
    edges: dict = {}
    for inside in (False, True):
        for name, _, others in imports(inside):
            edges.setdefault(name, set()).update(others)
    done, under_way = set(), []

    def visit(name):
        assert name not in under_way, " -> ".join([*under_way, name])
        if name in done:
            return
        under_way.append(name)
        for other in edges.get(name, ()):
            visit(other)
        under_way.pop()
        done.add(name)

    for name in TREES:
        visit(name)


def test_imports_stand_at_the_top():
    found = [f"{name}:{node.lineno}" for name, node, _ in imports(inside=True)]
    assert len(found) <= MOST_INSIDE, "\n".join(found)


def test_the_rooms_can_be_counted():
    rooms = sorted(path.name for path in PACKAGE.iterdir() if path.name != "__pycache__")
    assert len(rooms) <= MOST_ROOMS, rooms
    unknown = [name for name in TREES if room(name) and room(name) not in FLOOR_OF]
    assert not unknown


@pytest.mark.parametrize("path", sorted((PACKAGE / "models").rglob("*.py")), ids=lambda p: p.name)
def test_no_file_of_the_models_is_long(path):
    assert len(path.read_text().splitlines()) <= 350


def test_the_training_steps_fit_on_a_screen():
    steps = [
        node
        for name, (_, tree) in TREES.items()
        if room(name) == "models"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == "train_step"
    ]
    assert len(steps) == 3
    assert all(step.end_lineno - step.lineno < 40 for step in steps)
