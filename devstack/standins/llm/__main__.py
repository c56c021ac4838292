"""`python -m devstack.standins.llm --port N`: the model stand-in."""

import argparse
import os

from devstack.standins.llm.server import ModelServer
from devstack.standins.web import make_server


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="OpenAI-compatible model stand-in.")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    make_server(ModelServer(api_key=os.environ.get("LLM_STANDIN_API_KEY", "")), port=options.port).serve_forever()


if __name__ == "__main__":
    main()
