"""Writes what Python's Jinja makes of the templates in this folder: `python3 expected.py` (needs jinja2 3.1).

The settings and functions are those of `transformers.utils.chat_template_utils`, but that the date is always 26 July
2024. What a template itself refuses is written as "refused: " and why.
"""

import datetime
import json
import pathlib

from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

FOLDER = pathlib.Path(__file__).parent
TOKENS = {
    "deepseek_distill": ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
    "gpt_oss": ("<|startoftext|>", "<|return|>"),
    "llama3": ("<|begin_of_text|>", "<|eot_id|>"),
    "llama32": ("<|begin_of_text|>", "<|eot_id|>"),
    "qwen25": ("", "<|im_end|>"),
    "qwen3": ("", "<|im_end|>"),
    "qwen3_coder": ("", "<|im_end|>"),
    "smollm2": ("<|im_start|>", "<|im_end|>"),
    "smollm3": ("", "<|im_end|>"),
}


class Generation(Extension):
    """Marks around answers, which change nothing of what is rendered."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return nodes.CallBlock(self.call_method("marked"), [], [], body).set_lineno(line)

    def marked(self, caller):
        return caller()


class Refusal(Exception):
    """The template refuses the conversation."""


def refuse(reason):
    raise Refusal(reason)


def to_json(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


EXTENSIONS = [Generation, loopcontrols]
environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=EXTENSIONS)
environment.filters["tojson"] = to_json
environment.globals["raise_exception"] = refuse
environment.globals["strftime_now"] = datetime.datetime(2024, 7, 26).strftime
conversations = json.loads((FOLDER / "conversations.json").read_text())


def rendered(template, messages, bos, eos):
    try:
        return template.render(
            messages=messages, bos_token=bos, eos_token=eos, add_generation_prompt=True, tools=None, documents=None
        )
    except Refusal as refusal:
        return f"refused: {refusal}"


for path in sorted(FOLDER.glob("*.jinja")):
    bos, eos = TOKENS.get(path.stem, ("<s>", "</s>"))
    template = environment.from_string(path.read_bytes().decode())
    expected = [rendered(template, messages, bos, eos) for messages in conversations]
    text = json.dumps({"bos": bos, "eos": eos, "expected": expected}, ensure_ascii=False, indent=1)
    path.with_suffix(".json").write_text(text + "\n")
