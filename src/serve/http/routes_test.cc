// The document at /api/v1/openapi.json describes what is served, and nothing else: methods, paths and the
// parameters of the query, compared in both directions. The guide names every path.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "http/api_context.h"
#include "http/page_files.h"
#include "http/repeats.h"

namespace holdfast::http {
namespace {

using testing::IsEmpty;

// "GET /api/v1/runs", "GET /api/v1/runs?limit"
using Names = std::set<std::string>;

Json document() {
  for (const PageFile& file : page_files()) {
    if (file.path == "/api/v1/openapi.json") return Json::parse(file.bytes);
  }
  return {};
}

// What "$ref" points to, or the value itself.
const Json& resolved(const Json& root, const Json& value) {
  if (!value.contains("$ref")) return value;
  return root.at(Json::json_pointer(value["$ref"].get<std::string>().substr(1)));
}

void add_parameters(const Json& root, const Json& holder, const std::string& operation, Names& names) {
  if (!holder.contains("parameters")) return;
  for (const Json& each : holder["parameters"]) {
    const Json& parameter = resolved(root, each);
    if (parameter["in"] == "query") names.insert(operation + "?" + parameter["name"].get<std::string>());
  }
}

Names described() {
  Names names;
  const Json root = document();
  for (const auto& [path, item] : root.at("paths").items()) {
    for (const auto& [key, operation] : item.items()) {
      if (key == "parameters") continue;
      std::string method = key;
      std::transform(method.begin(), method.end(), method.begin(), ::toupper);
      const std::string name = method + " " + path;
      names.insert(name);
      add_parameters(root, item, name, names);
      add_parameters(root, operation, name, names);
    }
  }
  return names;
}

// Without the console, whose files are nobody's business.
Names served() {
  ApiContext context;
  Router router;
  add_routes(router, context);
  Names names;
  for (const auto& [route, permission] : router.served()) {
    const auto files = page_files();
    bool page = std::any_of(files.begin(), files.end(),
                            [&](const PageFile& file) { return file.path == route.pattern; });
    if (page && !route.pattern.starts_with("/api/")) continue;
    const std::string name = route.method + " " + route.pattern;
    names.insert(name);
    for (const std::string& parameter : route.parameters) {
      if (parameter != "*") names.insert(name + "?" + parameter);
    }
  }
  return names;
}

std::vector<std::string> without(const Names& all, const Names& known) {
  std::vector<std::string> out;
  std::set_difference(all.begin(), all.end(), known.begin(), known.end(), std::back_inserter(out));
  return out;
}

TEST(Routes, AreThoseOfTheDocument) {
  EXPECT_THAT(without(served(), described()), IsEmpty()) << "served, and not in openapi.json";
  EXPECT_THAT(without(described(), served()), IsEmpty()) << "in openapi.json, and not served";
  EXPECT_GT(served().size(), 20u);
}

// Those whose description says that an Idempotency-Key is honoured.
Names with_a_key() {
  Names names;
  const Json root = document();
  for (const auto& [path, item] : root.at("paths").items()) {
    if (!item.contains("post") || !item["post"].contains("parameters")) continue;
    for (const Json& each : item["post"]["parameters"]) {
      if (resolved(root, each)["name"] == "Idempotency-Key") names.insert(path);
    }
  }
  return names;
}

TEST(Routes, TakeTheKeysThatTheDocumentSaysAndNoOther) {
  const Names keyed(keyed_posts().begin(), keyed_posts().end());
  EXPECT_EQ(keyed, with_a_key());
  const Names all = served();
  for (const auto& list : {keyed_posts(), repeatable_posts()}) {
    for (const std::string_view path : list)
      EXPECT_TRUE(all.contains("POST " + std::string(path))) << path << " is not served";
  }
  EXPECT_TRUE(refuses_keys("POST", "/api/v1/keys"));
  EXPECT_FALSE(refuses_keys("PUT", "/api/v1/secrets/{name}")) << "a repeat is the same";
}

// Addresses that the field's protocols, or their habits, choose.
bool is_protocol(std::string_view pattern) {
  return pattern == "/mcp" || pattern.starts_with("/ag-ui/") || pattern.starts_with("/ai-sdk/") ||
         pattern.starts_with("/a2a") || pattern.ends_with("/agent-card.json");
}

// Whoever adds a route that everybody may ask says so here, too.
TEST(Routes, NeedACredentialButForTheseFew) {
  ApiContext context;
  Router router;
  add_routes(router, context);
  Names open;
  for (const auto& [route, permission] : router.served()) {
    const bool page = !route.pattern.starts_with("/api/") && !route.pattern.starts_with("/v1/") &&
                      !is_protocol(route.pattern);
    if (permission == Permission::kAnyone && !page) open.insert(route.method + " " + route.pattern);
    if (route.pattern == "/decide/{token}") continue;  // a page, whose token is a credential
    if (page) {
      EXPECT_EQ(permission, Permission::kAnyone) << route.pattern;
      EXPECT_EQ(route.method, "GET") << route.pattern << ": a page says nothing about anybody's data";
    }
    if (route.method != "GET" && !open.contains(route.method + " " + route.pattern))
      EXPECT_NE(permission, Permission::kRead) << route.method << " " << route.pattern;
  }
  // The token of a completion is a credential.
  EXPECT_THAT(open, testing::ElementsAre("GET /api/v1/openapi.json", "GET /api/v1/session/providers",
                                         "POST /api/v1/completions/{token}", "POST /api/v1/session",
                                         "POST /api/v1/session/providers/{provider}", "POST /api/v1/setup",
                                         "POST /api/v1/slack/actions"));
}

// As `/api/v1/runs/{id}`, with a method before it or parameters behind it.
TEST(Routes, StandInTheGuide) {
  std::ifstream file(HOLDFAST_GUIDE);
  const std::string guide(std::istreambuf_iterator<char>(file), {});
  for (const std::string& name : served()) {
    if (name.find('?') != std::string::npos) continue;
    const std::string path = name.substr(name.find(' ') + 1);
    bool found = false;
    for (std::size_t at = guide.find(path); !found && at != std::string::npos;
         at = guide.find(path, at + 1)) {
      const char next = guide[at + path.size()];
      found = next == '`' || next == '?';
    }
    EXPECT_TRUE(found) << path << " is not in docs/guide/http-api.md";
  }
}

}  // namespace
}  // namespace holdfast::http
