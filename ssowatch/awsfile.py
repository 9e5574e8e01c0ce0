"""One AWS config or credentials file: its sections as botocore reads them, and where each key stands (rank 1, pure).

Rules of this file:
1. The parser is botocore's own: a plain `RawConfigParser` (`configloader.raw_config_parse`), so inline comments belong
   to the value, keys are case-insensitive and `[DEFAULT]` lends its keys to every section.
2. What makes botocore refuse the file becomes `flaw`, and whatever else stands in the file is read all the same.
3. Only the keys named below leave the text. Of an access key only its presence is known, of a program only its name, and
   no line is ever quoted: a broken line may be half a secret.
"""

from __future__ import annotations

import configparser
import re
import shlex
from dataclasses import dataclass
from math import inf
from typing import cast

from ssowatch import kinds
from ssowatch.plain import plain

STATIC = "static access keys"
"""Stands among a section's keys when it holds an access key."""

_SHOWN = (
    *("sso_session", "sso_start_url", "sso_region", "sso_account_id", "sso_role_name", "source_profile", "ca_bundle"),
    *("sso_registration_scopes", "region", "output"),  # the two last only to compare with the sso-session
    *kinds.SETTINGS,
)
_PRESENT = ("role_arn", "web_identity_token_file", "credential_source")  # kept with an empty value

_ACCESS_KEYS = ("aws_access_key_id", "aws_secret_access_key")
_DELIMITER = re.compile("[=:]")
_HEADER = re.compile(r"\[(.+)\]")  # RawConfigParser.SECTCRE
_PLAIN_HEADER = re.compile(r"[\w.@:/+-]+ [\w.@:/+-]+", re.ASCII)
_PROGRAM = re.compile(r"[\w.+-]{1,40}", re.ASCII)
_KEY_NAME = re.compile(r"[a-z_]{1,30}")
_NOWHERE = "\r"  # the header above what stands below a broken one: no line has it


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why AWS CLI and boto3 refuse the file."""

    line: int
    message: str
    fix: str


class AwsFile:
    """The sections of one file, in its order, by their header without brackets."""

    def __init__(self, path: str, text: str | None) -> None:
        """Read `text`; None is a file that does not exist. `path` is only ever shown."""
        self.path = plain(path)
        text = (text or "").replace("\r\n", "\n").replace("\r", "\n")  # as open() does in text mode
        self.flaw: Flaw | None = None
        if text.startswith("\ufeff"):
            self._blame(1, "starts with a byte order mark", "save the file as UTF-8 without a byte order mark")
        self._starts: dict[str, list[int]] = {}
        self._keys: dict[tuple[str, str], int] = {}
        parser = self._parsed(self._mended(text.removeprefix("\ufeff").split("\n")))
        self.sections: dict[str, dict[str, str]] = {}
        for header in parser.sections():
            if header != _NOWHERE:
                options = dict(parser.items(header))
                self._check_nested(header, options)
                self.sections[header] = _kept(options)

    def place(self, header: str, key: str = "") -> str:
        """Where a key stands, or where its section starts, in words."""
        return f"{self.path} line {self.line(header, key)}"

    def line(self, header: str, key: str = "") -> int:
        """The line of a key, or of its section's header where the section has no such key."""
        return self._keys.get((header, key)) or self._starts[header][0]

    def starts(self, header: str) -> list[int]:
        """Every line where this section starts; more than one makes botocore refuse the file."""
        return self._starts[header]

    def _mended(self, lines: list[str]) -> list[str]:
        # The line grammar of RawConfigParser._read, to know the lines of keys, and to take out what it would choke on:
        # its own leftovers after an error are half built (CPython < 3.13), its errors take quadratic time to collect,
        # and the keys below a broken header would count for the section above.
        mended = []
        header, depth = "", inf  # no line is indented more than the key above it where there is none
        for number, line in enumerate(lines, 1):
            text = line.strip()
            indent = len(line) - len(line.lstrip())
            if not text or text[0] in "#;" or indent > depth:  # a comment, or more of the value above
                mended.append(line)
            elif found := _HEADER.match(text):
                header, depth = found[1], inf
                self._starts.setdefault(header, []).append(number)
                mended.append(line)
            elif header and (delimiter := _DELIMITER.search(text)) and delimiter.start():
                key, depth = text[: delimiter.start()].rstrip().lower(), indent
                self._keys[header, key] = number
                mended.append(line)
            elif not header or text[0] == "[":
                if text[0] == "[":
                    self._blame(number, "is a section header without its ]", "complete the header")
                else:
                    self._blame(number, "stands before the first [section]", "move the line into a section")
                header, depth = _NOWHERE, inf
                mended.append(f"[{header}]")
            else:
                self._blame(number, "is neither a [section] nor key = value", "complete or remove the line")
        return mended

    def _parsed(self, lines: list[str]) -> configparser.RawConfigParser:
        parser = configparser.RawConfigParser()
        try:
            parser.read_file(lines)
        except configparser.DuplicateSectionError as error:
            self._blame(_line_of(error), f"[{plain(error.section)}] stands twice", "make one section of the two")
        except configparser.DuplicateOptionError as error:
            name = error.option if _KEY_NAME.fullmatch(error.option) else "a key"
            self._blame(_line_of(error), f"{name} stands twice in [{plain(error.section)}]", "remove one of the two")
        else:
            return parser
        parser = configparser.RawConfigParser(strict=False)
        parser.read_file(lines)
        return parser

    def _check_nested(self, header: str, options: dict[str, str]) -> None:
        # configloader._parse_nested: a value that starts with a line break is read as lines of key=value.
        for key, value in options.items():
            if value.startswith("\n") and any(line.strip() and "=" not in line for line in value.splitlines()):
                self._blame(
                    self.line(header, key), "is followed by indented lines without =", "write them as key = value"
                )

    def _blame(self, line: int, message: str, fix: str) -> None:
        # The first line is the cause: what stands below a broken header only seems to stand twice.
        if self.flaw is None or line < self.flaw.line:
            self.flaw = Flaw(line, message, fix)


def _line_of(error: configparser.DuplicateSectionError | configparser.DuplicateOptionError) -> int:
    return cast("int", error.lineno)  # None only where no file was read


def name_in(header: str) -> str | None:
    """The name in a header such as `profile "my profile"`; None where AWS reads none (`configloader._parse_section`)."""
    if _PLAIN_HEADER.fullmatch(header):  # the same answer without shlex, which takes 50 times as long
        return header.partition(" ")[2]
    try:
        parts = shlex.split(header)
    except ValueError:
        return None
    return parts[1] if len(parts) == 2 else None


def _kept(options: dict[str, str]) -> dict[str, str]:
    kept = {key: _one_line(options[key]) for key in _SHOWN if key in options}
    kept |= dict.fromkeys((key for key in _PRESENT if key in options), "")
    if "credential_process" in options:
        kept["credential_process"] = _program(options["credential_process"])
    if any(key in options for key in _ACCESS_KEYS):
        kept[STATIC] = ""
    return kept


def _one_line(value: str) -> str:
    # An indented line below a key belongs to its value, and may be any key, a secret one too. The line break stays,
    # so that nobody takes the value for a good one.
    first, broken, _ = value.partition("\n")
    return first + broken


def _program(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError:
        words = command.split()
    name = words[0].rpartition("/")[2] if words else ""
    name = name if _PROGRAM.fullmatch(name) else "a program"
    return f"{name} …" if len(words) > 1 else name
