"""Where do letters go that shall reach nobody? Into a folder of this machine, each as a file that a mail program opens.

It takes the place of a mail server where one tries things out. A letter that is handed over twice is one file: its name is its
Message-ID.
"""

from __future__ import annotations

import os
import re
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

ENDING = ".eml"


class MailFolder:
    """Takes what a mail server would; readable by the owner of the folder alone, since letters name people."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def send_message(self, message: EmailMessage) -> None:
        """Keep the letter whole or not at all: nobody reads half a file."""
        name = re.sub(r"[^0-9A-Za-z.-]", "", str(message["Message-ID"]).partition("@")[0])
        unfinished = self.folder / f".{name}"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(message.as_bytes(policy=SMTP))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self.folder / f"{name}{ENDING}")

    def rset(self) -> None:
        """A folder keeps nothing of a letter that it refused."""


def empty(folder: Path) -> None:
    """Take the letters of an earlier demo away, and nothing else that lies there."""
    for letter in folder.glob(f"*{ENDING}") if folder.is_dir() else ():
        letter.unlink()
