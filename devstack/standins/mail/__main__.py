"""`python -m devstack.standins.mail --port N --smtp-port N --folder PATH`: the mail stand-in."""

import argparse
from pathlib import Path

from devstack.standins.mail.mailbox import Mailbox
from devstack.standins.mail.pages import make_application
from devstack.standins.mail.smtp import make_smtp_server
from devstack.standins.web import make_server


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="Mail stand-in.")
    parser.add_argument("--port", type=int, required=True, help="of the page")
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    mailbox = Mailbox(options.folder)
    make_smtp_server(mailbox, port=options.smtp_port).start()
    make_server(make_application(mailbox), port=options.port).serve_forever()


if __name__ == "__main__":
    main()
