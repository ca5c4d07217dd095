# SPDX-License-Identifier: Apache-2.0
"""What a house says of its own API (OpenAPI), held against what it takes and gives."""
import datetime
import json
import re
import urllib.parse

API = "/api/v1"
JSON_TYPES = {"string": str, "integer": int, "boolean": bool, "number": (int, float), "array": list, "object": dict,
              "null": type(None)}
KEYWORDS = {"type", "format", "description", "enum", "minimum", "maximum", "properties", "required", "additionalProperties",
            "items"}


def is_of(value, name):
    is_truth = isinstance(value, bool)
    return isinstance(value, JSON_TYPES[name]) and is_truth == (name == "boolean")


def check_object(value, schema, where):
    required = set(schema.get("required", ()))
    assert required <= set(value), f"{where}: missing {required - set(value)}"
    for name, member in value.items():
        assert name in schema["properties"] or schema.get("additionalProperties", True), f"{where}.{name} is not described"
        if name in schema["properties"]:
            check(member, schema["properties"][name], f"{where}.{name}")


def check(value, schema, where):
    """What JSON Schema says of the keywords that the document uses.  An object without properties may hold anything."""
    assert "type" in schema, f"{where}: the document does not say what it is"
    assert set(schema) <= KEYWORDS, f"{where}: keywords that nobody checks: {set(schema) - KEYWORDS}"
    names = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    assert any(is_of(value, name) for name in names), f"{where}: {value!r} is not {names}"
    if value is None:
        return
    assert value in schema.get("enum", [value]), f"{where}: {value!r} is none of {schema.get('enum')}"
    if is_of(value, "integer"):
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value), f"{where}: {value}"
    if schema.get("format") == "date-time":
        datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, dict) and "properties" in schema:
        check_object(value, schema, where)
    if isinstance(value, list) and "items" in schema:
        for index, member in enumerate(value):
            check(member, schema["items"], f"{where}[{index}]")


class Description:
    def __init__(self, document):
        self.document = document
        self.operations = [(re.compile(re.sub(r"{\w+}", "[^/]+", path)), method.upper(), operation)
                           for path, methods in document["paths"].items() for method, operation in methods.items()]
        problem = document["components"]["responses"]["Problem"]["content"]
        self.problem = problem["application/problem+json"]["schema"]

    def operation(self, method, path):
        """The exact path before one with a hole there."""
        found = [(pattern.pattern.count("[^/]+"), operation) for pattern, its, operation in self.operations
                 if its == method and pattern.fullmatch(API + path)]
        assert found, f"{method} {path}: answered, and not described"
        return min(found, key=lambda one: one[0])[1]

    def check(self, method, target, body, status, answer):
        """One request that was answered; a body that was refused may be anything."""
        where = f"{method} {target}"
        if status >= 300:
            if answer is not None:
                check(answer, self.problem, f"{where}: the problem")
            return
        path, _, query = target.partition("?")
        operation = self.operation(method, path)
        asks = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
        unknown = set(urllib.parse.parse_qs(query, keep_blank_values=True)) - asks
        assert not unknown, f"{where}: {unknown} are not described"
        if body is not None:
            assert "requestBody" in operation or not body, f"{where}: takes a body, and is not described so"
            if "requestBody" in operation:
                check(body, operation["requestBody"]["content"]["application/json"]["schema"], f"{where}: the body")
        assert str(status) in operation["responses"], f"{where}: {status} is not described"
        content = operation["responses"][str(status)].get("content")
        if operation["operationId"] == "openapi_get":
            return
        assert (content is None) == (answer is None), f"{where}: an answer and its description do not fit"
        if content:
            check(answer, content["application/json"]["schema"], f"{where}: the answer")


def description_of(house):
    """Asked for once in the life of a house."""
    if not hasattr(house, "description"):
        status, _, body = house.get(API + "/openapi.json", timeout=30)
        if status != 200:
            raise ConnectionError(f"no description: {status}")
        house.description = Description(json.loads(body))
    return house.description
