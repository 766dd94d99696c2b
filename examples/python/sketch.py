"""A workflow as a list of jobs, which find each other by the values that they pass.

argosy run examples/python/sketch.py
python examples/python/sketch.py
"""

from argosy import ContainerJob, LocalRunner, Run_with, Workflow, WorkflowParam, for_loop, when, while_loop

# The jobs name no image, so that they run on this machine; with image="alpine" they are containers.
step1 = ContainerJob(
    name="step1",
    image="",
    command="sh -c",
    args='printf "$word" > "$out_a"; printf "[1, 2, 3]" > "$out_numbers"',
    inputs=[WorkflowParam("word", default="abc")],
    outputs=[WorkflowParam("a"), WorkflowParam("numbers", type=list[int])],
)


# A static loop: how often is said here.
@Run_with(retry=2, timeout="1m")
@for_loop(2)
def print_date():
    return ContainerJob(name="print-date", image="", command="date", args="+%F")


# A dynamic loop: over what another job gives. Its body is a linear sequence.
@for_loop(step1.output.numbers)
def squares(number):
    square = ContainerJob(
        name="square",
        image="",
        command="sh -c",
        args='echo "$number squared"; expr "$number" "*" "$number" > "$out_value"',
        inputs=[number],
        outputs=[WorkflowParam("value", type=int)],
    )
    add_one = ContainerJob(
        name="add-one",
        image="",
        command="sh -c",
        args='expr "$value" + 1 > "$out_more"',
        inputs=[square.output.value],
        outputs=[WorkflowParam("more", type=int)],
    )
    return [square, add_one]


# A conditional loop: what it gives is what the last iteration gives.
@while_loop(lambda job: job.output.count < 4, max_iterations=10)
def count_up():
    return ContainerJob(
        name="count-up",
        image="",
        command="sh -c",
        args='expr "$count" + 1 > "$out_count"',
        inputs={"count": 0},
        outputs=[WorkflowParam("count", type=int)],
    )


@when(step1.output.a == "abc")
def say_abc():
    return ContainerJob(name="say-abc", image="", command="echo", args="it is abc")


def create_workflow():
    loop, total = squares(), count_up()
    report = ContainerJob(
        name="report",
        image="",
        command="sh -c",
        args='printf "%s, counted to %s" "$more" "$count" > "$out_text"',
        inputs=[loop.output.more, total.output.count],
        outputs=["text"],
    )
    return Workflow(
        name="pipeline1",
        steps=[step1, print_date(), say_abc(), [loop, total], report],
        outputs=[report.output.text],
    )


pipeline1 = create_workflow()

if __name__ == "__main__":
    run = LocalRunner().run(pipeline1)
    print(run.outputs)
