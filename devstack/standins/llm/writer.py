"""What the stand-in model says: a function of the request alone."""

import json
import re
from collections.abc import Mapping, Sequence

TOKEN = re.compile(r"\w+|[^\w\s]")
MAX_DEPTH = 12


def count_tokens(text: str) -> int:
    """Count tokens in the stand-in's own way: words and punctuation marks."""
    return len(TOKEN.findall(text))


def message_text(message: Mapping[str, object]) -> str:
    """Return the text of a chat message, whose content is a string or a list of parts."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return ""


def compose(body: Mapping[str, object]) -> str:
    """Return the answer to a chat request.

    A last user message that carries `{"entries": [...]}` is answered by a report with one bullet an entry; any other
    request with a JSON schema by the smallest instance of it; the rest by a sentence that repeats its beginning.
    """
    question = _last_user_text(body)
    entries = _find_entries(question)
    if entries is not None:
        return json.dumps(_report(entries), ensure_ascii=False)
    schema = _schema(body)
    if schema is not None:
        return json.dumps(_instance(schema, schema, 0))
    return f"The stand-in model has read: {question[:200]}"


def _last_user_text(body: Mapping[str, object]) -> str:
    messages = body.get("messages")
    users = (
        [m for m in messages if isinstance(m, dict) and m.get("role") == "user"] if isinstance(messages, list) else []
    )
    return message_text(users[-1]) if users else ""


def _find_entries(text: str) -> list[Mapping[str, object]] | None:
    decoder = json.JSONDecoder()
    for match in re.finditer(r"\{", text):
        try:
            found, _ = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if isinstance(found, dict) and isinstance(found.get("entries"), list):
            return [entry for entry in found["entries"] if isinstance(entry, dict)]
    return None


def _report(entries: Sequence[Mapping[str, object]]) -> dict[str, object]:
    bullets = [
        {"text": str(entry.get("title") or entry.get("body") or "Untitled"), "entry_ids": [entry.get("id")]}
        for entry in entries
    ]
    return {"sections": [{"heading": "Highlights", "bullets": bullets}]}


def _schema(body: Mapping[str, object]) -> Mapping[str, object] | None:
    response_format = body.get("response_format")
    if not isinstance(response_format, dict) or response_format.get("type") != "json_schema":
        return None
    described = response_format.get("json_schema")
    schema = described.get("schema") if isinstance(described, dict) else None
    return schema if isinstance(schema, dict) else None


def _instance(schema: Mapping[str, object], root: Mapping[str, object], depth: int) -> object:
    if depth > MAX_DEPTH:
        return None
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties")
        named = properties.items() if isinstance(properties, dict) else ()
        return {name: _instance(part, root, depth + 1) for name, part in named if isinstance(part, dict)}
    if kind == "array":
        items = schema.get("items")
        return [_instance(items, root, depth + 1)] if isinstance(items, dict) else []
    return {"string": "text", "integer": 1, "number": 1, "boolean": True}.get(str(kind))


def _resolved(schema: Mapping[str, object], root: Mapping[str, object]) -> Mapping[str, object]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found: object = root
        for name in reference.removeprefix("#/").split("/"):
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}
    for key in ("anyOf", "oneOf", "allOf"):
        options = schema.get(key)
        if isinstance(options, list):
            typed = [option for option in options if isinstance(option, dict) and option.get("type") != "null"]
            return _resolved(typed[0], root) if typed else {}
    return schema
