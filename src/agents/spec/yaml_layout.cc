#include "spec/yaml_layout.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "base/byte_order_mark.h"
#include "spec/yaml_documents.h"
#include "spec/yaml_tokens.h"

namespace holdfast::spec {

namespace {

using Kind = YamlToken::Kind;

// A block that is open: where its entries stood, and where they stand.
struct Level {
  bool mapping = false;
  bool indentless = false;  // a list that stands no deeper than its key
  int old_column = 0;
  int column = 0;
};

struct LaidOut {
  std::string text;
  std::vector<std::string> comments;
};

std::string_view trimmed_right(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : trimmed_right(text.substr(first));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t end = text.find('\n');
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

class Layout {
 public:
  Layout(std::string_view text, std::string_view source) : text_(text), source_(source) {}

  Result<LaidOut> run();

 private:
  bool structure(const YamlToken& token);
  void place(const YamlToken& token);
  void break_line(std::string_view gap, const YamlToken* next);
  void comment_line(std::string_view line, const YamlToken* next);
  std::string separator(const YamlToken& token, std::string_view gap) const;
  void emit(const YamlToken& token);
  void emit_block_scalar(std::string_view text);
  void emit_lines(std::string_view text, bool quoted);

  int inner() const { return levels_.empty() ? 0 : levels_.back().column + 2; }
  int indent_of(const YamlToken& token) const;
  int comment_indent(int column, const YamlToken* next) const;
  void wrong(int line, std::string_view what) {
    if (wrong_.ok()) wrong_ = {Code::kInvalidArgument, fmt::format("{}:{}:1: {}", source_, line + 1, what)};
  }

  std::string_view text_;
  std::string_view source_;
  LaidOut out_;
  Status wrong_;
  std::vector<Level> levels_;
  std::optional<std::vector<Level>>
      closed_;  // what was open when the last line was written, if it is no more
  int flow_depth_ = 0;
  bool key_next_ = false;
  std::optional<Kind> last_;   // what was written last
  std::size_t at_ = 0;         // so far the text is written
  int line_ = 0;               // of at_
  bool line_is_over_ = false;  // the line break behind at_ is in what was written
  bool blank_ = false;         // an empty line is due
};

// What takes no room. False: the tokens cannot be laid out.
bool Layout::structure(const YamlToken& token) {
  const auto remember = [&] {
    if (!closed_) closed_ = levels_;
  };
  const auto drop_indentless = [&] {
    if (levels_.empty() || !levels_.back().indentless) return;
    remember();
    levels_.pop_back();
  };
  switch (token.kind) {
    case Kind::kMappingStart:
    case Kind::kSequenceStart:
      levels_.push_back({token.kind == Kind::kMappingStart, false, token.column, inner()});
      break;
    case Kind::kBlockEnd:
      drop_indentless();
      remember();
      if (levels_.empty()) return false;
      levels_.pop_back();
      break;
    case Kind::kEntry:
      if (flow_depth_ == 0 && !levels_.empty() && levels_.back().mapping)
        levels_.push_back({false, true, token.column, inner()});
      break;
    case Kind::kKey:
      if (flow_depth_ > 0) break;
      drop_indentless();
      key_next_ = true;
      break;
    default: break;
  }
  return levels_.size() + static_cast<std::size_t>(flow_depth_) <= kMaxLayoutDepth;
}

Result<LaidOut> Layout::run() {
  auto tokens = yaml_tokens(text_, source_);
  if (!tokens) return fail(tokens.error());
  for (const YamlToken& token : *tokens) {
    if (!structure(token))
      return fail(Code::kInvalidArgument, fmt::format("{}:{}:{}: it nests deeper than {} levels", source_,
                                                      token.line + 1, token.column + 1, kMaxLayoutDepth));
    if (token.end > token.start) place(token);
    if (!wrong_.ok()) return fail(wrong_);
  }
  break_line(text_.substr(at_), nullptr);
  if (!wrong_.ok()) return fail(wrong_);
  return std::move(out_);
}

void Layout::place(const YamlToken& token) {
  if (token.kind == Kind::kFlowEnd) {
    if (flow_depth_ == 0) return wrong(token.line, "this closes what nothing opens");
    --flow_depth_;
  }
  const std::string_view gap = text_.substr(at_, token.start - at_);
  const bool breaks = line_is_over_ || !last_ || gap.find('\n') != std::string_view::npos;
  if (breaks) {
    break_line(gap, &token);
    out_.text.append(static_cast<std::size_t>(indent_of(token)), ' ');
  } else {
    if (!trimmed(gap).empty()) wrong(token.line, "what stands here is not understood");
    out_.text += separator(token, gap);
  }
  emit(token);
  at_ = token.end;
  line_ = token.line +
          static_cast<int>(std::ranges::count(text_.substr(token.start, token.end - token.start), '\n'));
  last_ = token.kind;
  key_next_ = false;
  closed_.reset();
  if (token.kind == Kind::kFlowStart) ++flow_depth_;
}

int Layout::indent_of(const YamlToken& token) const {
  if (token.kind == Kind::kMarker) return 0;
  if (flow_depth_ == 0 && (key_next_ || token.kind == Kind::kEntry))
    return levels_.empty() ? 0 : levels_.back().column;
  return inner() + 2 * flow_depth_;
}

// ---- between two tokens

// The rest of a line, and the lines of comments and nothing up to `next`.
void Layout::break_line(std::string_view gap, const YamlToken* next) {
  std::vector<std::string_view> lines = lines_of(gap);
  std::size_t first = 0;
  if (last_ && !line_is_over_) {
    const std::string_view behind = trimmed(lines[0]);
    if (!behind.empty()) {
      if (behind.front() != '#') wrong(line_, "what stands here is not understood");
      const std::size_t width = lines[0].find('#');
      out_.text.append(std::max<std::size_t>(2, width), ' ').append(behind);
      out_.comments.emplace_back(behind);
    }
    first = 1;
  }
  if (last_) out_.text += '\n';
  const bool ends = next == nullptr;
  // The last piece is what stands before the token: nothing but its indentation.
  for (std::size_t i = first; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    const bool is_piece = i + 1 == lines.size();
    if (trimmed(line).empty()) {
      if (!is_piece) blank_ = true;
      continue;
    }
    if (trimmed(line).front() != '#' || (is_piece && !ends))
      return wrong(line_ + static_cast<int>(i), "what stands here is not understood");
    comment_line(line, next);
  }
  if (!ends && blank_ && !out_.text.empty()) out_.text += '\n';
  blank_ = false;
  line_is_over_ = false;
}

void Layout::comment_line(std::string_view line, const YamlToken* next) {
  if (blank_ && !out_.text.empty()) out_.text += '\n';
  blank_ = false;
  const int column = static_cast<int>(line.find('#'));
  const std::string_view comment = trimmed(line);
  out_.text.append(static_cast<std::size_t>(comment_indent(column, next)), ' ').append(comment).append("\n");
  out_.comments.emplace_back(comment);
}

// As deep as what follows, where it stood as deep; else as what it stood as deep as before that.
int Layout::comment_indent(int column, const YamlToken* next) const {
  if (flow_depth_ > 0 || (next != nullptr && next->kind == Kind::kFlowEnd))
    return inner() + 2 * (next != nullptr && next->kind == Kind::kFlowEnd ? flow_depth_ + 1 : flow_depth_);
  if (next != nullptr && column == next->column) return indent_of(*next);
  const std::vector<Level>& levels = closed_ ? *closed_ : levels_;
  const Level* deepest = nullptr;
  for (const Level& level : levels) {
    if (level.old_column > column) return level.column;
    deepest = &level;
  }
  if (deepest == nullptr) return 0;
  return deepest->old_column == column ? deepest->column : deepest->column + 2;
}

std::string Layout::separator(const YamlToken& token, std::string_view gap) const {
  const std::string kept = gap.empty() ? "" : " ";
  const bool closes = token.kind == Kind::kFlowEnd || token.kind == Kind::kFlowEntry;
  if (*last_ == Kind::kFlowStart) return "";
  if (closes) {
    // `a: ,` and `*a ,` are not the same without the space to every reader.
    const bool keeps = *last_ == Kind::kValue || *last_ == Kind::kAlias || *last_ == Kind::kProperty;
    return keeps ? kept : "";
  }
  if (token.kind == Kind::kValue)
    return *last_ == Kind::kAlias || *last_ == Kind::kProperty || *last_ == Kind::kFlowEntry ? " " : "";
  return " ";
}

// ---- one token

// One that holds neither quotes nor a backslash is the same in either quotes.
bool can_be_double(std::string_view text) {
  if (text.size() < 2 || text.front() != '\'') return false;
  return text.substr(1, text.size() - 2).find_first_of("'\"\\\n") == std::string_view::npos;
}

void Layout::emit(const YamlToken& token) {
  const std::string_view text = text_.substr(token.start, token.end - token.start);
  if (token.kind == Kind::kBlockScalar) return emit_block_scalar(text);
  if (token.kind == Kind::kQuoted && can_be_double(text)) {
    out_.text.append("\"").append(text.substr(1, text.size() - 2)).append("\"");
    return;
  }
  if (token.kind == Kind::kPlain || token.kind == Kind::kQuoted)
    return emit_lines(text, token.kind == Kind::kQuoted);
  out_.text += trimmed_right(text);
}

// Lines of a plain or a quoted text: what they begin with is no part of it.
void Layout::emit_lines(std::string_view text, bool quoted) {
  bool first = true;
  for (std::string_view line : lines_of(text)) {
    if (!first) {
      out_.text += '\n';
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      if (!line.empty()) out_.text.append(static_cast<std::size_t>(inner() + 2 * flow_depth_), ' ');
    }
    out_.text += quoted ? line : trimmed_right(line);
    first = false;
  }
}

// The indicator says by how much its lines stand deeper than the block around it; without one its first line
// does.
void Layout::emit_block_scalar(std::string_view text) {
  std::vector<std::string_view> lines = lines_of(text);
  const std::string_view header = trimmed_right(lines.front());
  const std::string_view indicators = header.substr(0, header.find_first_of(" \t#"));
  const std::size_t digit = indicators.find_first_of("123456789");
  lines.erase(lines.begin());
  if (!lines.empty() && text.ends_with('\n')) lines.pop_back();
  const auto is_blank = [](std::string_view line) {
    return line.find_first_not_of(' ') == std::string_view::npos;
  };
  int old_indent = 0;
  int indent = inner() == 0 ? 2 : inner();
  if (digit != std::string_view::npos) {
    const int by = indicators[digit] - '0';
    old_indent = by + (levels_.empty() ? 0 : levels_.back().old_column);
    indent = by + (levels_.empty() ? 0 : levels_.back().column);
  } else if (const auto first = std::ranges::find_if_not(lines, is_blank); first != lines.end()) {
    old_indent = static_cast<int>(first->find_first_not_of(' '));
  }
  if (indicators.find('+') == std::string_view::npos) {
    while (!lines.empty() && is_blank(lines.back()) &&
           lines.back().size() <= static_cast<std::size_t>(old_indent)) {
      blank_ = true;
      lines.pop_back();
    }
  }
  out_.text += header;
  for (std::string_view line : lines) {
    out_.text += '\n';
    const std::size_t strip = std::min(static_cast<std::size_t>(old_indent), line.size());
    if (is_blank(line) && line.size() <= static_cast<std::size_t>(old_indent)) continue;
    out_.text.append(static_cast<std::size_t>(indent), ' ').append(line.substr(strip));
  }
  line_is_over_ = text.ends_with('\n');
}

// ---- the judge

class Sameness {
 public:
  bool same(const YAML::Node& one, const YAML::Node& two, int depth = 0) {
    if (++nodes_ > kMaxLayoutNodes || depth > 2 * kMaxLayoutDepth) return false;
    if (one.Type() != two.Type() || one.Tag() != two.Tag()) return false;
    if (one.IsScalar()) return one.Scalar() == two.Scalar();
    if (!one.IsMap() && !one.IsSequence()) return true;
    if (one.size() != two.size()) return false;
    auto other = two.begin();
    for (auto at = one.begin(); at != one.end(); ++at, ++other) {
      if (one.IsSequence()
              ? !same(*at, *other, depth + 1)
              : !same(at->first, other->first, depth + 1) || !same(at->second, other->second, depth + 1))
        return false;
    }
    return true;
  }

 private:
  std::size_t nodes_ = 0;
};

Status check_same(std::string_view before, std::string_view after, std::string_view source) {
  try {
    const auto one = yaml_documents(std::string(before));
    const auto two = yaml_documents(std::string(after));
    Sameness sameness;
    bool same = one.size() == two.size();
    for (std::size_t i = 0; same && i < one.size(); ++i) same = sameness.same(one[i], two[i]);
    if (same) return {};
  } catch (const YAML::Exception& broken) {
    return {Code::kInvalidArgument, fmt::format("{}:{}:{}: broken YAML: {}", source, broken.mark.line + 1,
                                                broken.mark.column + 1, broken.msg)};
  }
  return {Code::kInvalidArgument,
          fmt::format("{}:1:1: laid out it would not say the same; it is left as it is", source)};
}

// The text with LF for CR LF, and without a byte-order mark.
Result<std::string> plain_lines(std::string_view text, std::string_view source) {
  text = behind_byte_order_mark(text);
  std::string out;
  out.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\r' || text[i] == '\0')
      return fail(Code::kInvalidArgument,
                  fmt::format("{}:1:1: byte {} is a control character; remove it", source, i + 1));
    out += text[i];
  }
  // Line breaks to one reader and text to the other.
  for (const std::string_view one : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
    if (const std::size_t at = out.find(one); at != std::string::npos)
      return fail(Code::kInvalidArgument,
                  fmt::format("{}:{}:1: a line break of Unicode; write \\n in quotes", source,
                              1 + std::ranges::count(std::string_view(out).substr(0, at), '\n')));
  }
  return out;
}

}  // namespace

Result<std::string> lay_out_yaml(std::string_view text, std::string_view source) {
  const auto plain = plain_lines(text, source);
  if (!plain) return fail(plain.error());
  auto once = Layout(*plain, source).run();
  if (!once) return fail(once.error());
  if (Status status = check_same(*plain, once->text, source); !status.ok()) return fail(std::move(status));
  const auto twice = Layout(once->text, source).run();
  if (!twice || twice->text != once->text || twice->comments != once->comments)
    return fail(Code::kInvalidArgument,
                fmt::format("{}:1:1: its comments cannot be laid out; it is left as it is", source));
  return std::move(once->text);
}

}  // namespace holdfast::spec
