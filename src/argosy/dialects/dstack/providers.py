"""dstack's providers as data: which keys each takes, and the lines of shell that it is.

It knows no workflow and no engine. A name between @ signs stands for what the workflow says under that key.
"""

from __future__ import annotations

import msgspec

from argosy.dialects.dstack import schema


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """One provider.

    keys: what its workflows may say. lines: its program. needs: modules it cannot do without, each with the package
    that brings it. ports: how many it takes. rendezvous: whether its processes find one another by variables.
    in_image: whether it runs in an image that its workflow names, rather than on the host. measures: whether metrics
    that it prints or leaves are its own, not those of runs that it shows.
    """

    name: str
    keys: type[schema.Keys]
    lines: tuple[str, ...] = ()
    needs: tuple[tuple[str, str], ...] = ()
    ports: int = 0
    rendezvous: bool = False
    in_image: bool = False
    measures: bool = True

    @property
    def is_app(self) -> bool:
        """Whether it says where people reach it."""
        return any(line.startswith(_OPEN) for line in self.lines)


# Behind it stands where below its address the app is to be opened. Its own port comes behind those of its workflow.
_OPEN = "argosy_open "
_HERE = '"${ARGOSY_LISTEN:-127.0.0.1}"'
_TOKEN = "export JUPYTER_TOKEN=\"$(python -c 'import secrets; print(secrets.token_hex(16))')\""
_CODE = """\
argosy_code="$(command -v openvscode-server || command -v code-server || command -v code)" || {
  echo "this workflow needs openvscode-server, code-server or code on the PATH" >&2
  exit 1
}"""
_CODE_SERVER = f"""\
case "$argosy_code" in
  */openvscode-server)
    exec "$argosy_code" --host {_HERE} --port "$ARGOSY_PORT" --without-connection-token --default-folder "$PWD" ;;
  */code-server)
    exec "$argosy_code" --bind-addr {_HERE}":$ARGOSY_PORT" --auth none --disable-telemetry "$PWD" ;;
  *)
    exec "$argosy_code" serve-web --host {_HERE} --port "$ARGOSY_PORT" --without-connection-token \\
      --accept-server-license-terms
esac"""

PROVIDERS: dict[str, Provider] = {
    one.name: one
    for one in (
        Provider(name="python", keys=schema.PythonKeys, lines=("python @file@ @args@",)),
        Provider(name="bash", keys=schema.BashKeys, lines=("@commands@",)),
        Provider(name="docker", keys=schema.DockerKeys, lines=("@commands@",), in_image=True),
        Provider(
            name="torchrun",
            keys=schema.TorchrunKeys,
            lines=(
                "python -m torch.distributed.run --nnodes=1 --node_rank=0 --nproc_per_node=@nproc@"
                ' --master_addr="$MASTER_HOSTNAME" --master_port="$MASTER_PORT_0" @file@ @args@',
            ),
            needs=(("torch", "torch"),),
            ports=1,
            rendezvous=True,
        ),
        Provider(name="code", keys=schema.AppKeys, lines=(_CODE, _OPEN + "''", _CODE_SERVER), ports=1),
        Provider(
            name="lab",
            keys=schema.AppKeys,
            lines=(
                _TOKEN,
                _OPEN + '"lab?token=$JUPYTER_TOKEN"',
                "exec python -m jupyterlab --no-browser --allow-root --ip=" + _HERE + ' --port="$ARGOSY_PORT"',
            ),
            needs=(("jupyterlab", "jupyterlab"),),
            ports=1,
        ),
        Provider(
            name="notebook",
            keys=schema.AppKeys,
            lines=(
                _TOKEN,
                _OPEN + '"?token=$JUPYTER_TOKEN"',
                "exec python -m notebook --no-browser --allow-root --ip=" + _HERE + ' --port="$ARGOSY_PORT"',
            ),
            needs=(("notebook", "notebook"),),
            ports=1,
        ),
        Provider(
            name="gradio",
            keys=schema.PythonKeys,
            lines=(
                "export GRADIO_SERVER_NAME=" + _HERE + ' GRADIO_SERVER_PORT="$ARGOSY_PORT"',
                _OPEN + "''",
                "exec python @file@ @args@",
            ),
            needs=(("gradio", "gradio"),),
            ports=1,
        ),
        Provider(
            name="streamlit",
            keys=schema.StreamlitKeys,
            lines=(
                _OPEN + "''",
                "exec python -m streamlit run --server.address=" + _HERE + ' --server.port="$ARGOSY_PORT"'
                " --server.headless=true @target@ @args@",
            ),
            needs=(("streamlit", "streamlit"),),
            ports=1,
        ),
        Provider(
            name="fastapi",
            keys=schema.FastapiKeys,
            lines=(_OPEN + "''", "exec python -m uvicorn --host " + _HERE + ' --port "$ARGOSY_PORT" @uvicorn@ @app@'),
            needs=(("uvicorn", "uvicorn"), ("fastapi", "fastapi")),
            ports=1,
        ),
        Provider(
            name="tensorboard",
            keys=schema.TensorboardKeys,
            lines=(
                _OPEN + "''",
                "exec python -m tensorboard.main --logdir runs --host " + _HERE + ' --port "$ARGOSY_PORT"',
            ),
            needs=(("tensorboard", "tensorboard"),),
            ports=1,
            measures=False,
        ),
        Provider(
            name="curl",
            keys=schema.CurlKeys,
            lines=('mkdir -p "$(dirname @output@)"', "curl --fail --location --show-error --silent @url@ -o @output@"),
        ),
    )
}


def custom(given: schema.CustomProvider) -> Provider:
    """A provider of .dstack/providers.yaml: the image that its commands run in, or the host."""
    return Provider(name=given.name, keys=schema.Keys, lines=("@commands@",), in_image=bool(given.image))
