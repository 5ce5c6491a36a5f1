"""Is an answer of the HTTP interface what its OpenAPI document says? The part of JSON Schema (2020-12) that the document uses; a member that no schema names is a failure, too: here, not for clients."""
import re

TYPES = {"string": str, "integer": int, "boolean": bool, "object": dict, "array": list, "null": type(None), "number": (int, float)}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
KNOWN = {"type", "format", "properties", "required", "items", "$ref", "anyOf", "additionalProperties"}


def wrong(doc, schema, v, at="answer"):
    """The first thing that does not fit, as a sentence; None."""
    assert set(schema) <= KNOWN, f"{at}: this validator does not know {set(schema) - KNOWN}"
    if "$ref" in schema:
        part = doc
        for name in schema["$ref"][2:].split("/"):
            part = part[name]
        return wrong(doc, part, v, at)
    if "anyOf" in schema:
        all_said = [wrong(doc, s, v, at) for s in schema["anyOf"]]
        return None if None in all_said else all_said[0]
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(isinstance(v, TYPES[t]) and not (isinstance(v, bool) and t in ("integer", "number")) for t in types):
        return f"{at} is {v!r:.80} and not {' or '.join(types)}"
    if schema.get("format") == "date-time" and isinstance(v, str) and not TIME.match(v):
        return f"{at} is {v!r:.80} and no time"
    if isinstance(v, dict) and ("properties" in schema or "additionalProperties" in schema):
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in v:
                return f"{at} has no {name}"
        for name, x in v.items():
            part = properties.get(name, schema.get("additionalProperties"))
            if part is None:
                return f"{at} has {name}, which is not described"
            if said := wrong(doc, part, x, f"{at}.{name}"):
                return said
    if isinstance(v, list) and "items" in schema:
        for i, x in enumerate(v):
            if said := wrong(doc, schema["items"], x, f"{at}[{i}]"):
                return said
    return None


def operation(doc, method, path):
    path = path.split("?")[0]
    fits = [p for p in doc["paths"] if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", p), path)]
    fits.sort(key=lambda p: p.count("{"))
    for p in fits:
        if method.lower() in doc["paths"][p]:
            return doc["paths"][p][method.lower()]
    return None


def check(doc, method, path, status, body):
    """Raises AssertionError when the answer is not the described one. body: decoded JSON."""
    op = operation(doc, method, path)
    if op is None:
        return
    answer = op["responses"].get(str(status))
    assert answer, f"{method} {path} {status}: the document does not say that this may come"
    if "$ref" in answer:
        answer = doc["components"]["responses"][answer["$ref"].split("/")[-1]]
    kind = next(iter(answer["content"]))
    if "json" in kind:
        said = wrong(doc, answer["content"][kind]["schema"], body)
        assert said is None, f"{method} {path} {status}: {said}"
