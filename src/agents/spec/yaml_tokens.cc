#include "spec/yaml_tokens.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <optional>

namespace holdfast::spec {

namespace {

using Kind = YamlToken::Kind;

std::optional<Kind> kind_of(const yaml_token_t& token) {
  switch (token.type) {
    case YAML_BLOCK_MAPPING_START_TOKEN: return Kind::kMappingStart;
    case YAML_BLOCK_SEQUENCE_START_TOKEN: return Kind::kSequenceStart;
    case YAML_BLOCK_END_TOKEN: return Kind::kBlockEnd;
    case YAML_KEY_TOKEN: return Kind::kKey;
    case YAML_VALUE_TOKEN: return Kind::kValue;
    case YAML_BLOCK_ENTRY_TOKEN: return Kind::kEntry;
    case YAML_FLOW_MAPPING_START_TOKEN:
    case YAML_FLOW_SEQUENCE_START_TOKEN: return Kind::kFlowStart;
    case YAML_FLOW_MAPPING_END_TOKEN:
    case YAML_FLOW_SEQUENCE_END_TOKEN: return Kind::kFlowEnd;
    case YAML_FLOW_ENTRY_TOKEN: return Kind::kFlowEntry;
    case YAML_ALIAS_TOKEN: return Kind::kAlias;
    case YAML_ANCHOR_TOKEN:
    case YAML_TAG_TOKEN: return Kind::kProperty;
    case YAML_SCALAR_TOKEN:
      switch (token.data.scalar.style) {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE:
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: return Kind::kQuoted;
        case YAML_LITERAL_SCALAR_STYLE:
        case YAML_FOLDED_SCALAR_STYLE: return Kind::kBlockScalar;
        default: return Kind::kPlain;
      }
    case YAML_DOCUMENT_START_TOKEN:
    case YAML_DOCUMENT_END_TOKEN:
    case YAML_VERSION_DIRECTIVE_TOKEN:
    case YAML_TAG_DIRECTIVE_TOKEN: return Kind::kMarker;
    default: return std::nullopt;
  }
}

// libyaml counts characters: where each begins.
std::vector<std::size_t> places_of(std::string_view text) {
  std::vector<std::size_t> out;
  out.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) out.push_back(i);
  }
  out.push_back(text.size());
  return out;
}

class Scanner {
 public:
  Scanner(std::string_view text, std::string_view source) : source_(source), places_(places_of(text)) {
    started_ = yaml_parser_initialize(&parser_) == 1;
    if (started_)
      yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                   text.size());
  }
  ~Scanner() {
    if (started_) yaml_parser_delete(&parser_);
  }
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  Result<std::vector<YamlToken>> all() {
    if (!started_) return fail(Code::kResourceExhausted, "no memory for a YAML scanner");
    std::vector<YamlToken> out;
    while (true) {
      yaml_token_t token;
      if (yaml_parser_scan(&parser_, &token) != 1) return fail(broken());
      const auto kind = kind_of(token);
      const bool over = token.type == YAML_STREAM_END_TOKEN;
      YamlToken one;
      if (kind)
        one = {*kind, place(token.start_mark), place(token.end_mark), static_cast<int>(token.start_mark.line),
               static_cast<int>(token.start_mark.column)};
      yaml_token_delete(&token);
      if (over) return out;
      if (!kind) continue;
      if (one.kind == Kind::kKey && one.end > one.start)
        return fail(Code::kInvalidArgument,
                    fmt::format("{}:{}:{}: a key of its own (`?`) is not laid out; write `key: value`",
                                source_, one.line + 1, one.column + 1));
      out.push_back(one);
    }
  }

 private:
  std::size_t place(const yaml_mark_t& mark) const {
    return places_[std::min(mark.index, places_.size() - 1)];
  }
  Status broken() const {
    return {Code::kInvalidArgument,
            fmt::format("{}:{}:{}: broken YAML: {}", source_, parser_.problem_mark.line + 1,
                        parser_.problem_mark.column + 1,
                        parser_.problem != nullptr ? parser_.problem : "it cannot be read")};
  }

  std::string_view source_;
  std::vector<std::size_t> places_;
  yaml_parser_t parser_{};
  bool started_ = false;
};

}  // namespace

Result<std::vector<YamlToken>> yaml_tokens(std::string_view text, std::string_view source) {
  return Scanner(text, source).all();
}

}  // namespace holdfast::spec
