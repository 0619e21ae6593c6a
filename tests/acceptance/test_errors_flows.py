"""What people read when a flow cannot be loaded, registered or run as asked; on the installed command and in scripts."""

from __future__ import annotations

import pytest
from harness.command_line import HELLO_FLOW, CommandLine, Ended

PARAMETER_FLOW = """
from headwater import Flow, Parameter, task

@task
def greet(name, times):
    print(name * times)

with Flow("greetings") as flow:
    greet(Parameter("name"), Parameter("times", default=1))
"""


@pytest.fixture
def greetings(append_only: CommandLine, request: pytest.FixtureRequest) -> str:
    """A project of this test's name with a flow `greetings` that needs `name` and may be given `times`."""
    name = str(request.node.name)
    append_only.write("greetings.py", PARAMETER_FLOW)
    append_only("create", "project", name)
    assert append_only("register", "--project", name, "--path", "greetings.py").code == 0
    return name


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        ([], "Required parameters were not supplied: 'name'.", "--param name=VALUE"),
        (["--param", "name=x", "--param", "tiems=2"], "The flow has no parameter 'tiems'.", "Did you mean 'times'?"),
        (["--param", "name=[1, 2"], "The value of --param name is not JSON", "Quote the whole"),
        (["--param", "name"], "--param takes NAME=VALUE", "Such as --param count=3."),
        (["--param-file", "nowhere.json"], "The parameter file nowhere.json cannot be read", None),
        (["--param-file", "greetings.py"], "The parameter file greetings.py is not JSON", None),
        (["--param", "name=x", "--context", "day={"], "The value of --context day is not JSON", None),
        (["--param", "name=x", "--scheduled-at", "tomorrow"], "--scheduled-at 'tomorrow' is not a time.", "2026-11-22"),
        (["--param", "name=x", "--label", ""], "The name of a label cannot be empty.", None),
        (["--param", "name=x", "--run-name", "a\tb"], "control character U+0009", None),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else "",
)
def test_a_run_asked_for_wrongly_is_refused(
    append_only: CommandLine, greetings: str, arguments: list[str], error: str, hint: str | None
) -> None:
    ended = append_only("run", "--name", "greetings", "--project", greetings, *arguments)

    assert ended.code == 1
    assert error in ended.err
    assert hint is None or f"hint: {hint}" in ended.err or hint in ended.err.partition("hint: ")[2]
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_the_older_form_refuses_wrong_json_too(append_only: CommandLine, greetings: str) -> None:
    ended = append_only("run", "flow", "--name", "greetings", "--project", greetings, "--parameters-string", "{")

    assert ended.code == 1
    assert "--parameters-string is not JSON" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [[], ["--id", "x", "--name", "y"], ["--path", "greetings.py", "--project", "p"], ["--path", "greetings.py", "--watch"], ["--nonsense"]],
    ids=" ".join,
)
def test_wrong_use_ends_with_code_2_and_the_way_to_the_help(append_only: CommandLine, arguments: list[str]) -> None:
    ended = append_only("run", *arguments)

    assert ended.code == 2
    assert "Try 'headwater run -h' for help." in ended.err
    assert "Error:" in ended.err


def test_a_file_that_does_not_import_shows_its_traceback_and_the_others_are_registered(append_only: CommandLine) -> None:
    append_only.write("broken.py", "from headwater import Flow\n\ndef build():\n    return 1 / 0\n\nflow = build()\n")
    append_only.write("hello_flow.py", HELLO_FLOW)
    append_only("create", "project", "partly")
    ended = append_only("register", "--project", "partly", "-p", "broken.py", "-p", "hello_flow.py")

    assert ended.code == 1
    assert " 1 registered, 1 errored " in ended.out
    assert 'broken.py", line 4, in build' in ended.err
    assert "ZeroDivisionError: division by zero" in ended.err
    assert "hint: The traceback shows where" in ended.err
    # No frame of Headwater, and none of the import system, stands between the person and their file.
    assert "importlib" not in ended.err
    assert "headwater/cli" not in ended.err


def test_a_flow_with_a_cycle_is_refused(append_only: CommandLine) -> None:
    append_only.write(
        "circle.py",
        "from headwater import Flow, task\n@task\ndef a(): pass\n@task\ndef b(): pass\nflow = Flow('circle', tasks=[a, b])\n"
        "flow.add_edge(a, b)\nflow.add_edge(b, a)\n",
    )
    append_only("create", "project", "circles")
    ended = append_only("register", "--project", "circles", "-p", "circle.py")

    assert ended.code == 1
    assert "0 registered, 1 errored" in ended.out
    assert "The tasks run in a circle: a-1 → b-1 → a-1." in ended.err
    assert "Traceback" not in ended.err


ELSEWHERE = """
from headwater import Flow, task
{imports}

@task(log_stdout=True)
def work():
    print("worked")

with Flow("elsewhere", {setting}) as flow:
    work()

if __name__ == "__main__":
    flow.register(project_name="elsewhere")
"""


@pytest.mark.parametrize(
    ("imports", "setting", "said"),
    [
        ("from headwater.run_configs import KubernetesRun", "run_config=KubernetesRun(image='i')", "A KubernetesRun needs an agent"),
        ("from headwater.storage import GCS", "storage=GCS('bucket')", "cannot be kept in Google Cloud Storage yet"),
        (
            "from headwater.environments import FargateTaskEnvironment",
            "environment=FargateTaskEnvironment()",
            "FargateTaskEnvironment is read as ECSRun(",
        ),
    ],
    ids=["run config", "storage", "environment"],
)
def test_a_flow_for_a_platform_without_agents_runs_here_and_is_not_registered(
    append_only: CommandLine, imports: str, setting: str, said: str
) -> None:
    append_only.write("elsewhere.py", ELSEWHERE.format(imports=imports, setting=setting))
    append_only("create", "project", "elsewhere", "--skip-if-exists")

    here = append_only("run", "--path", "elsewhere.py")
    by_command = append_only("register", "--project", "elsewhere", "-p", "elsewhere.py")
    by_script = append_only.python("elsewhere.py")

    assert (here.code, "worked" in here.out + here.err) == (0, True)
    assert (by_command.code, "0 registered, 1 errored" in by_command.out) == (1, True)
    assert said in by_command.out + by_command.err
    assert by_script.code == 1
    assert said in by_script.out + by_script.err
    assert "hint: " in by_script.err


def test_a_flow_with_an_environment_is_registered_and_says_what_it_became(append_only: CommandLine) -> None:
    append_only.write(
        "elsewhere.py",
        ELSEWHERE.format(
            imports="from headwater.environments import LocalEnvironment\nfrom headwater.executors import LocalDaskExecutor",
            setting="environment=LocalEnvironment(LocalDaskExecutor(), labels=['gpu'])",
        ),
    )
    append_only("create", "project", "elsewhere", "--skip-if-exists")

    by_command = append_only("register", "--project", "elsewhere", "-p", "elsewhere.py")
    by_script = append_only.python("elsewhere.py")

    for ended in (by_command, by_script):
        assert ended.code == 0, ended.err
        assert "LocalEnvironment is read as UniversalRun(labels=['gpu']) and the executor " in ended.out + ended.err
    assert "'gpu'" in by_script.out.partition("Labels: ")[2]


def test_what_is_not_there_is_named(append_only: CommandLine) -> None:
    append_only.write("hello_flow.py", HELLO_FLOW)
    append_only("create", "project", "missing")

    no_path = append_only("register", "--project", "missing", "-p", "nowhere.py")
    assert (no_path.code, "Path 'nowhere.py' not found." in no_path.err) == (1, True)
    no_module = append_only("register", "--project", "missing", "-m", "no.such.module")
    assert (no_module.code, "no.such.module" in no_module.err) == (1, True)
    no_flow = append_only("register", "--project", "missing", "-p", "hello_flow.py", "--name", "other")
    assert (no_flow.code, "Flow 'other' not found." in no_flow.err) == (1, True)
    local = append_only("run", "--path", "hello_flow.py", "--name", "other")
    assert (local.code, "holds: 'hello-flow'" in local.err) == (1, True)


def test_registering_inside_the_with_block_says_what_to_change(append_only: CommandLine) -> None:
    script = append_only.write("inside.py", HELLO_FLOW + "    flow.register(project_name='tutorial')\n")
    ended = append_only.python(script)

    assert ended.code == 1
    assert "flow.register() was called inside the `with Flow(...)` block" in ended.err
    assert ended.out == ""


def test_a_script_reads_the_hint_of_an_unknown_project_in_its_traceback(append_only: CommandLine) -> None:
    script = append_only.write("hello_flow.py", HELLO_FLOW + "flow.register(project_name='nowhere')\n")
    ended = append_only.python(script)

    assert ended.code == 1
    assert "Project 'nowhere' not found." in ended.err
    assert ended.err.rstrip().endswith("hint: Run `headwater create project 'nowhere'` to create it.")
    assert ended.out == ""
    assert not append_only.home.exists()


def test_a_local_run_of_a_file_that_does_not_import_shows_its_traceback(append_only: CommandLine) -> None:
    append_only.write("broken.py", "import no_such_module_anywhere\n")
    ended = append_only("run", "--path", "broken.py")

    assert ended.code == 1
    assert 'broken.py", line 1, in <module>' in ended.err
    assert "Error: " in ended.err
    assert "importlib" not in ended.err


def test_default_parameters_are_set_one_by_one_and_serve_where_nothing_is_given(append_only: CommandLine, greetings: str) -> None:
    def defaults(*arguments: str) -> Ended:
        return append_only("set", "default-parameters", "greetings", "--project", greetings, *arguments)

    assert defaults().code == 2
    unknown = defaults("--param", "tiems=2")
    assert (unknown.code, "hint: It takes: name, times." in unknown.err) == (1, True)
    assert defaults("--param", "name=Ana", "--param", "times=2").out == "greetings: new runs get name='Ana', times=2.\n"
    assert defaults("--unset", "times").out == "greetings: new runs get name='Ana'.\n"
    assert "No default is set for 'times'." in defaults("--unset", "times").err
    ran = append_only("run", "--name", "greetings", "--project", greetings)
    assert "Parameters: {'name': 'Ana', 'times': 1}" in ran.out
    assert defaults("--unset", "name").out == "greetings: new runs get the defaults of their version.\n"


def test_a_run_is_deleted_once_it_has_ended(append_only: CommandLine, greetings: str) -> None:
    later = ("--param", "name=Ana", "--scheduled-at", "2031-01-01", "--quiet")
    run_id = append_only("run", "--name", "greetings", "--project", greetings, *later).out.strip()

    refused = append_only("delete", "flow-run", run_id, "--yes")
    assert (refused.code, "hint: Cancel it first." in refused.err) == (1, True)
    assert append_only("cancel", run_id).code == 0
    assert append_only("delete", "flow-run", run_id, stdin="n\n").code == 1
    assert append_only("delete", "flow-run", run_id, "--yes", "--reason", "a trial").out.endswith(f"({run_id}) deleted\n")
    assert "had been deleted before" in append_only("delete", "flow-run", run_id, "--yes").err
    assert "deleted: a trial" in append_only("events", run_id).out


TWO_OF_ONE_NAME = """
from headwater import Flow, task

@task
def load(table):
    print(table)

for table in ("orders", "customers"):
    with Flow("etl") as flow:
        load(table)
    flow.register(project_name=PROJECT)
"""


def test_a_script_that_registers_two_flows_of_one_name_is_refused_at_the_second(
    append_only: CommandLine, request: pytest.FixtureRequest
) -> None:
    project = str(request.node.name)
    append_only("create", "project", project)
    script = append_only.write("two.py", TWO_OF_ONE_NAME.replace("PROJECT", repr(project)))

    ended = append_only.python(script)

    assert ended.code == 1
    assert "registered another flow named 'etl' in this project already" in ended.err
    assert "two.py:11" in ended.err
    assert "hint: Give each of the two its own name." in ended.err
    assert ended.out.count("── ID: ") == 1, "the first one is registered"


def test_a_script_may_register_one_flow_again_and_its_twin(append_only: CommandLine, request: pytest.FixtureRequest) -> None:
    project = str(request.node.name)
    append_only("create", "project", project)
    text = TWO_OF_ONE_NAME.replace('"customers"', '"orders"') + "flow.add_task(task(lambda: 1, name='more'))\nflow.register(PROJECT)\n"
    script = append_only.write("twin.py", text.replace("PROJECT", repr(project)))

    assert append_only.python(script).code == 0


@pytest.mark.parametrize("files", [["both.py"], ["one.py", "other.py"]])
def test_a_command_that_would_register_two_flows_of_one_name_is_refused(
    append_only: CommandLine, request: pytest.FixtureRequest, files: list[str]
) -> None:
    project = request.node.name
    append_only("create", "project", project)
    append_only.write("both.py", "from headwater import Flow\na, b = Flow('etl'), Flow('etl')\n")
    append_only.write("one.py", "from headwater import Flow\nflow = Flow('etl')\n")
    append_only.write("other.py", "from headwater import Flow, Parameter\nflow = Flow('etl', tasks=[Parameter('x')])\n")
    append_only.write("same.py", "from one import flow\n")

    ended = append_only("register", "--project", project, *(part for file in files for part in ("--path", file)))
    imported = append_only("register", "--project", project, "--path", "one.py", "--path", "same.py")

    assert (ended.code, imported.code) == (1, 0)
    assert "would archive the" in ended.out + ended.err
