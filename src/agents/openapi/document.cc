#include "openapi/document.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/url.h"
#include "spec/written_order.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_reader.h"

namespace holdfast::openapi {

namespace {

Result<Json> parsed(std::string_view text, std::string_view source) {
  const std::size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string_view::npos && text[first] == '{') {
    auto written = read_json<nlohmann::ordered_json>(text.substr(first), kMaxForeignJsonDepth);
    if (!written)
      return fail(Code::kInvalidArgument, fmt::format("{}: {}", source, written.error().message()));
    Json json = *written;
    spec::keep_orders(json, *written);
    return json;
  }
  spec::YamlProblems problems(source);
  Json out;
  try {
    std::size_t nodes_left = spec::kMaxYamlNodes;
    const YAML::Node written = spec::yaml_document(std::string(text));
    out = spec::yaml_to_json(written, problems, nodes_left);
    if (problems.empty()) spec::keep_orders(out, written);
    if (nodes_left == 0) {
      return fail(
          Code::kInvalidArgument,
          fmt::format(
              "{}: more than {} values in YAML, aliases counted; give the document as JSON, which may "
              "have {} MiB",
              source, spec::kMaxYamlNodes, kMaxDocumentBytes >> 20));
    }
  } catch (const YAML::Exception& broken) {
    problems.add(broken.mark, fmt::format("broken YAML: {}", broken.msg));
  }
  if (!problems.empty()) return fail(problems.status());
  return out;
}

}  // namespace

const Json& member(const Json& object, std::string_view name) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(name);
  return found == object.end() ? kNone : *found;
}

std::string text_of(const Json& object, std::string_view name) {
  const Json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : "";
}

Result<Document> Document::read(std::string_view text, std::string_view source) {
  if (text.size() > kMaxDocumentBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: {} bytes, at most {} are read; cut the document down to the "
                            "operations that the agent needs",
                            source, text.size(), kMaxDocumentBytes));
  }
  auto json = parsed(text, source);
  if (!json) return fail(json.error());
  Document out;
  out.root_ = *std::move(json);
  const std::string version = text_of(out.root_, "openapi");
  out.is_3_0_ = version.starts_with("3.0");
  if (out.is_3_0_ || version.starts_with("3.1")) return out;
  if (!member(out.root_, "swagger").is_null())
    return fail(
        Code::kInvalidArgument,
        fmt::format("{}: Swagger 2.0 is not read; convert it to OpenAPI 3, for example with swagger2openapi",
                    source));
  return fail(
      Code::kInvalidArgument,
      version.empty()
          ? fmt::format("{}: it is no OpenAPI document: `openapi: 3.0.x` or `3.1.x` is missing", source)
          : fmt::format("{}: OpenAPI {} is not known to this version; 3.0 and 3.1 are", source,
                        version.substr(0, 20)));
}

Result<const Json*> Document::resolved(const Json& node, std::string* name) const {
  const Json* at = &node;
  for (int i = 0; i <= kMaxReferences; ++i) {
    const std::string reference = text_of(*at, "$ref");
    if (reference.empty()) return at;
    if (!reference.starts_with("#/")) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("`$ref: {}` leads out of the document, and is not followed; bundle it into one file",
                      reference.substr(0, 200)));
    }
    const auto place = percent_decode(std::string_view(reference).substr(1), false);
    try {
      const Json::json_pointer pointer(place.value_or(reference.substr(1)));
      if (!root_.contains(pointer))
        return fail(Code::kInvalidArgument,
                    fmt::format("`$ref: {}` leads nowhere", reference.substr(0, 200)));
      at = &root_[pointer];
      if (name != nullptr) *name = pointer.empty() ? "" : pointer.back();
    } catch (const Json::exception&) {
      return fail(Code::kInvalidArgument, fmt::format("`$ref: {}` is no place", reference.substr(0, 200)));
    }
  }
  return fail(Code::kInvalidArgument,
              fmt::format("`$ref: {}` leads round in a circle", text_of(node, "$ref").substr(0, 200)));
}

}  // namespace holdfast::openapi
