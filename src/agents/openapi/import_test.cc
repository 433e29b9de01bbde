// Goal: what an OpenAPI document describes becomes tools that make its calls, and a document that is hostile
// or beyond what a tool can do says so. Method: documents through import_tools(), what comes out through the
// reader of definitions.

#include "openapi/import.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/catalog.h"
#include "spec/written_order.h"

namespace holdfast::openapi {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kPets = R"json({
  "openapi": "3.0.3",
  "info": {"title": "Pet Store"},
  "servers": [{"url": "https://{host}/v1/", "variables": {"host": {"default": "pets.example.com"}}}],
  "security": [{"key": []}],
  "paths": {
    "/pets": {
      "get": {"operationId": "listPets", "summary": "Lists pets.", "parameters": [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1, "exclusiveMinimum": true}},
        {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}]},
      "post": {"operationId": "createPet", "requestBody": {"required": true, "content": {"application/json":
        {"schema": {"$ref": "#/components/schemas/Pet"}}}}}
    },
    "/pets/{pet-id}": {
      "parameters": [{"name": "pet-id", "in": "path", "required": true, "schema": {"type": "string"}}],
      "get": {"operationId": "getPet"},
      "put": {"operationId": "putPet", "security": [{"login": ["pets.write"]}],
        "requestBody": {"required": true, "content": {"application/json; charset=utf-8":
          {"schema": {"type": "object", "properties": {"pet_id": {"type": "string"}}}}}}},
      "delete": {"operationId": "upload", "requestBody": {"required": true, "content": {"multipart/form-data": {}}}}
    }
  },
  "components": {
    "schemas": {
      "Pet": {"allOf": [{"$ref": "#/components/schemas/Named"}, {"type": "object", "required": ["id", "age"],
        "properties": {"id": {"type": "integer", "readOnly": true}, "age": {"type": "integer", "nullable": true},
                       "parent": {"$ref": "#/components/schemas/Pet"}}}]},
      "Named": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "pattern": "^a"}}}
    },
    "securitySchemes": {
      "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
      "login": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://login.example.com/token"}}}
    }
  }
})json";

Imported must_import(std::string_view text, ImportOptions options = {}) {
  if (options.source.empty()) options.source = "pets.json";
  auto imported = import_tools(text, options);
  EXPECT_TRUE(imported.has_value()) << imported.error().message();
  return imported.value_or(Imported());
}

std::string refusal(std::string_view text, ImportOptions options = {}) {
  options.source = "pets.json";
  auto imported = import_tools(text, options);
  return imported ? "" : imported.error().message();
}

Json tool(const Imported& imported, std::string_view name) {
  auto read = agent::parse_definition(imported.yaml, "agent.yaml");
  EXPECT_TRUE(read.has_value()) << read.error().message() << "\n" << imported.yaml;
  if (!read) return {};
  for (const Json& one : Json::parse(canonical_json(*read))["spec"]["tools"]) {
    if (one["name"] == name) return one;
  }
  ADD_FAILURE() << "no tool " << name << " in\n" << imported.yaml;
  return {};
}

TEST(Openapi, ReadingIsPureAndItsQueryIsOptional) {
  const Imported imported = must_import(kPets);
  const Json list = tool(imported, "listPets");
  EXPECT_EQ(list["effect"], "pure");
  EXPECT_EQ(list["description"], "Lists pets.");
  EXPECT_EQ(list["http"]["url"], "https://pets.example.com/v1/pets");
  EXPECT_EQ(list["http"]["headers"]["X-Api-Key"], "${PET_STORE_KEY}");
  EXPECT_EQ(list["parameters"]["properties"]["limit"], Json({{"type", "integer"}, {"exclusiveMinimum", 1}}));
  EXPECT_FALSE(list["parameters"]["properties"].contains("tags"));
  EXPECT_THAT(imported.notes,
              Contains(HasSubstr("`listPets`: the optional query parameter `tags` is left out")));
}

TEST(Openapi, ABodyOfNamesIsItsArguments) {
  const Imported imported = must_import(kPets);
  const Json create = tool(imported, "createPet");
  EXPECT_EQ(create["effect"], "at_most_once");
  const Json& properties = create["parameters"]["properties"];
  EXPECT_EQ(properties["name"], Json({{"type", "string"}}));
  EXPECT_EQ(properties["age"]["type"], Json::array({"integer", "null"}));
  EXPECT_FALSE(properties.contains("id")) << "the server sets it";
  EXPECT_EQ(create["parameters"]["required"], Json::array({"name", "age"}));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("`Pet` holds itself")));
}

// A model fills in arguments in the order in which it is shown them.
TEST(Openapi, ArgumentsStandInTheOrderOfTheDocument) {
  const std::string json = R"json({
  "openapi": "3.1.0", "info": {"title": "Refunds", "version": "1"}, "servers": [{"url": "https://refunds.example.com"}],
  "paths": {"/orders/{order}/refunds": {"post": {"operationId": "refund",
    "parameters": [{"name": "order", "in": "path", "required": true, "schema": {"type": "string"}}],
    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refund"}}}}}}},
  "components": {"schemas": {"Refund": {"allOf": [
    {"type": "object", "properties": {"why": {"type": "object", "properties": {"text": {"type": "string"}, "code": {"type": "integer"}}}}},
    {"type": "object", "properties": {"amount": {"type": "number"}}}]}}}
})json";
  const std::string yaml = R"(
openapi: 3.1.0
info: {title: Refunds, version: '1'}
servers: [{url: https://refunds.example.com}]
paths:
  /orders/{order}/refunds:
    post:
      operationId: refund
      parameters: [{name: order, in: path, required: true, schema: {type: string}}]
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Refund'}}}}
components:
  schemas:
    Refund:
      type: object
      properties: {why: {type: object, properties: {text: {type: string}, code: {type: integer}}}, amount: {type: number}}
)";
  for (const std::string& document : {json, yaml}) {
    const Imported imported = must_import(document);
    const Json parameters = tool(imported, "refund")["parameters"];
    EXPECT_EQ(spec::property_names(parameters), (std::vector<std::string>{"order", "why", "amount"}));
    EXPECT_EQ(spec::property_names(parameters["properties"]["why"]),
              (std::vector<std::string>{"text", "code"}));
    EXPECT_THAT(imported.yaml, Not(HasSubstr("x-holdfast-order"))) << "the file stands in that order itself";
  }
}

TEST(Openapi, APathsParametersAndATokenOfItsOwn) {
  const Imported imported = must_import(kPets);
  EXPECT_EQ(tool(imported, "getPet")["http"]["url"], "https://pets.example.com/v1/pets/{pet_id}");
  const Json put = tool(imported, "putPet");
  EXPECT_EQ(put["effect"], "idempotent");
  EXPECT_EQ(put["http"]["body"], "{body}") << "a name of the body is one of the path";
  EXPECT_EQ(put["parameters"]["required"], Json::array({"pet_id", "body"}));
  EXPECT_EQ(put["http"]["auth"]["token_url"], "https://login.example.com/token");
  EXPECT_EQ(put["http"]["auth"]["client_id_env"], "PET_STORE_LOGIN_CLIENT_ID");
  EXPECT_EQ(put["http"]["auth"]["scopes"], Json::array({"pets.write"}));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("`upload` is left out: its body is not JSON")));
}

// A tool that sends less than the document says, tells so.
TEST(Openapi, WhatIsLeftOutIsTold) {
  const auto document = [](std::string_view paths, std::string_view servers = R"([{"url": "https://h"}])") {
    return fmt::format(R"({{"openapi": "3.1.0", "info": {{"title": "T"}}, "servers": {}, "paths": {}}})",
                       servers, paths);
  };
  const auto notes = [&](std::string_view operation) {
    return must_import(document(fmt::format(R"({{"/a/{{id}}": {}}})", operation))).notes;
  };
  const std::string id = R"({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}})";
  for (const char* type : {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}) {
    EXPECT_THAT(notes(fmt::format(R"({{"post": {{"operationId": "op", "parameters": [{}],
        "requestBody": {{"content": {{"{}": {{"schema": {{"type": "object"}}}}}}}}}}}})",
                                  id, type)),
                Contains("`op`: its optional body is left out: it is not JSON"));
  }
  const std::string named = R"({"name": "id", "in": "query", "schema": {"type": "string"}})";
  EXPECT_THAT(notes(fmt::format(R"({{"get": {{"operationId": "op", "parameters": [{}, {}]}}}})", id, named)),
              Contains(HasSubstr("query parameter `id` is left out: it has the name of another one")));
  const std::string other = R"({"name": "x", "in": "path", "required": true, "schema": {"type": "string"}})";
  EXPECT_THAT(notes(fmt::format(R"({{"get": {{"operationId": "op", "parameters": [{}, {}],
        "requestBody": {{"content": {{"application/json": {{}}}}}}}}}})",
                                id, other)),
              ::testing::AllOf(Contains(HasSubstr("the path parameter `x` is left out")),
                               Contains(HasSubstr("its body is left out: a GET has none"))));
  EXPECT_THAT(refusal(document(R"({"/a#b": {"get": {"operationId": "op"}}})")), HasSubstr("has a `#`"));
  EXPECT_THAT(refusal(document(R"({"/a": {"get": {"operationId": "op"}}})",
                               R"([{"url": "https://h/{part}", "variables": {"part": {"enum": ["a"]}}}])")),
              ::testing::AllOf(HasSubstr("https://h/{part}"), HasSubstr("--server")));
}

TEST(Openapi, AnOperationGoesToItsOwnServer) {
  constexpr std::string_view kDocument = R"json({
    "openapi": "3.1.0", "info": {"title": "Files"}, "servers": [{"url": "https://api.example.com/v1"}],
    "paths": {
      "/list": {"get": {"operationId": "list"}},
      "/put": {"servers": [{"url": "https://uploads.example.com"}], "get": {"operationId": "put"},
               "head": {"operationId": "look", "servers": [
                 {"url": "https://{region}.example.com/", "variables": {"region": {"default": "eu"}}}]}},
      "/lost": {"get": {"operationId": "lost", "servers": [{"url": "https://{nowhere}.example.com"}]}}
    }})json";
  const Imported imported = must_import(kDocument);
  EXPECT_THAT(imported.yaml, HasSubstr("https://api.example.com/v1/list"));
  EXPECT_THAT(imported.yaml, HasSubstr("https://uploads.example.com/put"));
  EXPECT_THAT(imported.yaml, HasSubstr("https://eu.example.com/put"));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("`lost` is left out")));
  ImportOptions options;
  options.server = "https://test.example.com";
  EXPECT_THAT(must_import(kDocument, options).yaml, HasSubstr("https://test.example.com/put"));
}

TEST(Openapi, WhatAUrlCannotHoldIsLeftOutAlone) {
  constexpr std::string_view kDocument = R"json({
    "openapi": "3.1.0", "info": {"title": "Odd"}, "servers": [{"url": "https://api.example.com"}],
    "paths": {
      "/lists/{ids}": {"get": {"operationId": "lists", "parameters": [
        {"name": "ids", "in": "path", "required": true, "schema": {"type": "array"}}]}},
      "/matrix/{id}": {"get": {"operationId": "matrix", "parameters": [
        {"name": "id", "in": "path", "style": "matrix", "required": true, "schema": {"type": "string"}}]}},
      "/nobody/{x}": {"get": {"operationId": "nobody"}},
      "/fine": {"get": {"operationId": "fine", "parameters": [
        {"name": "listed", "in": "query", "schema": {"type": ["array", "null"]}},
        {"name": "either", "in": "query", "schema": {"oneOf": [{"type": "string"}, {"type": "array"}]}},
        {"name": "single", "in": "query", "schema": {"type": ["string", "null"]}}]}}
    }})json";
  const Imported imported = must_import(kDocument);
  EXPECT_THAT(imported.notes, Contains(HasSubstr("`lists` is left out: its path parameter `ids`")));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("`matrix` is left out: its path parameter `id`")));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("`nobody` is left out: its path needs `x`")));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("`listed` is left out")));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("`either` is left out")));
  EXPECT_THAT(imported.yaml, HasSubstr("single:"));
}

TEST(Openapi, WhatIsSelectedComesOrTheImportFails) {
  ImportOptions options;
  options.select = {"getPet"};
  EXPECT_EQ(must_import(kPets, options).tools, 1u);
  options.select = {"gotPet"};
  EXPECT_THAT(refusal(kPets, options), HasSubstr("there is no operation `gotPet`; did you mean `getPet`?"));
  options.select = {"upload"};
  EXPECT_THAT(refusal(kPets, options), HasSubstr("`upload`: its body is not JSON"));
}

TEST(Openapi, ASecondDocumentAndALoneCommaAreRefused) {
  EXPECT_THAT(refusal("openapi: 3.1.0\n---\nopenapi: 3.0.0\n"), HasSubstr("a second document"));
  EXPECT_THAT(refusal(","), HasSubstr("broken YAML"));
}

TEST(Openapi, YamlOf31WithARelativeServer) {
  ImportOptions options;
  options.source = "https://api.example.com/spec/openapi.yaml";
  options.tools_only = true;
  const Imported imported = must_import(
      "openapi: 3.1.0\ninfo: {title: T}\nservers: [{url: /v2}]\npaths:\n  /a/{b}:\n    get:\n"
      "      parameters: [{name: b, in: path, required: true, schema: {type: [string, 'null'], const: "
      "'yes'}}]\n",
      options);
  EXPECT_THAT(imported.yaml, HasSubstr("https://api.example.com/v2/a/{b}"));
  EXPECT_THAT(imported.yaml, HasSubstr("const: \"yes\""));
  EXPECT_THAT(imported.yaml, HasSubstr("name: get_a_b"));
}

std::string with_schema(const std::string& schema, const std::string& components = "{}") {
  return R"({"openapi": "3.1.0", "info": {"title": "T"}, "servers": [{"url": "https://x.example"}], "paths": {"/a": {"post": {
    "operationId": "a", "requestBody": {"required": true, "content": {"application/json": {"schema": )" +
         schema + R"(}}}}}}, "components": {"schemas": )" + components + "}}";
}

TEST(Openapi, HostileDocumentsSaySo) {
  EXPECT_THAT(refusal(with_schema(
                  R"({"$ref": "#/components/schemas/A"})",
                  R"({"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}})")),
              HasSubstr("leads round in a circle"));
  EXPECT_THAT(refusal(with_schema(R"({"$ref": "http://169.254.169.254/latest"})")),
              HasSubstr("leads out of the document"));
  EXPECT_THAT(refusal(with_schema(R"({"$ref": "#/nowhere"})")), HasSubstr("leads nowhere"));
  // Each level names the next ten times: ten to the power of ten values.
  Json levels = Json::object();
  for (int i = 0; i < 10; ++i) {
    for (int k = 0; k < 10; ++k)
      levels["L" + std::to_string(i)]["properties"]["p" + std::to_string(k)]["$ref"] =
          "#/components/schemas/L" + std::to_string(i + 1);
  }
  levels["L10"] = {{"type", "string"}};
  EXPECT_THAT(refusal(with_schema(R"({"$ref": "#/components/schemas/L0"})", levels.dump())),
              HasSubstr("more than 2000 parts"));
  EXPECT_THAT(refusal(std::string(kMaxDocumentBytes + 1, ' ')), HasSubstr("at most"));
  EXPECT_THAT(refusal(std::string(200000, '[')), HasSubstr("pets.json"));
  EXPECT_THAT(refusal("{\"swagger\": \"2.0\"}"), HasSubstr("Swagger 2.0 is not read"));
  EXPECT_THAT(refusal("{}"), HasSubstr("no OpenAPI document"));
  EXPECT_THAT(refusal(R"({"openapi": "3.1.0", "paths": {}})"), HasSubstr("--server"));
}

TEST(Openapi, PartsOfTheWrongKindAreNoCrash) {
  for (const char* schema :
       {"[]", "7", "\"x\"", "null", R"({"properties": 7})", R"({"type": {}})", R"({"required": "a"})",
        R"({"allOf": [7, {"properties": []}]})", R"({"items": [1]})", R"({"enum": 3})",
        R"({"type": "object", "properties": {"a": null}})"}) {
    ImportOptions options;
    options.source = "x.json";
    auto imported = import_tools(with_schema(schema), options);
    if (imported) {
      EXPECT_TRUE(agent::parse_definition(imported->yaml, "agent.yaml").has_value()) << schema << "\n"
                                                                                     << imported->yaml;
    }
  }
  for (const char* paths :
       {"7", "[]", R"({"/a": 7})", R"({"/a": {"get": 7}})", R"({"/a": {"get": {"parameters": 7}}})",
        R"({"/a": {"get": {"parameters": [7]}}})", R"({"/a": {"get": {"security": [7]}}})"}) {
    ImportOptions options;
    options.source = "x.json";
    static_cast<void>(
        import_tools(R"({"openapi": "3.0.0", "servers": [{"url": "https://x.example"}], "paths": )" +
                         std::string(paths) + "}",
                     options));
  }
  EXPECT_THAT(must_import(kPets).yaml, ::testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace holdfast::openapi
