#include "tool/postgres_script.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/ascii.h"

namespace holdfast::agent {

namespace {

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool in_name(char c) {
  return begins_name(c) || (c >= '0' && c <= '9');
}

// What begins a statement that is not a tool's to make.
constexpr std::array<std::string_view, 22> kOthers = {
    "abort",   "begin",    "checkpoint", "close",  "commit", "copy",    "deallocate", "declare",
    "discard", "end",      "execute",    "listen", "load",   "notify",  "prepare",    "release",
    "reset",   "rollback", "savepoint",  "set",    "start",  "unlisten"};

class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  Result<std::vector<PostgresStatement>> all() {
    while (at_ < text_.size() && wrong_.empty()) step();
    if (wrong_.empty()) end_statement();
    if (!wrong_.empty()) return fail(Code::kInvalidArgument, wrong_);
    if (out_.empty()) return fail(Code::kInvalidArgument, "there is no statement");
    return std::move(out_);
  }

 private:
  bool ahead(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  void keep(std::size_t end) {
    end = std::min(end, text_.size());
    current_.sql += text_.substr(at_, end - at_);
    at_ = end;
  }

  void step() {
    const char c = text_[at_];
    if (ahead("--")) return skip_to(text_.find('\n', at_));
    if (ahead("/*")) return comment();
    if (c == '\'' || c == '"') return quoted(c, false);
    if (c == '$') return dollar();
    if (c == ':') return colon();
    if (c == ';') {
      ++at_;
      return end_statement();
    }
    if (begins_name(c)) return word();
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') empty_ = false;
    keep(at_ + 1);
  }

  // A comment becomes a blank.
  void skip_to(std::size_t end) {
    at_ = std::min(end, text_.size());
    current_.sql += ' ';
  }

  void comment() {
    int depth = 0;
    do {
      if (ahead("/*")) {
        ++depth;
        at_ += 2;
      } else if (ahead("*/")) {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < text_.size());
    if (depth > 0) wrong_ = "a comment is not closed";
    current_.sql += ' ';
  }

  // A doubled quote opens the next part; with `escapes` a backslash takes the next character along.
  void quoted(char quote, bool escapes) {
    empty_ = false;
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote) end += escapes && text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) {
      wrong_ = "a quote is not closed";
      return;
    }
    keep(end + 1);
  }

  void dollar() {
    empty_ = false;
    std::size_t end = at_ + 1;
    if (end < text_.size() && text_[end] >= '0' && text_[end] <= '9') {
      wrong_ = "name arguments as `:argument`, not $1";
      return;
    }
    while (end < text_.size() && in_name(text_[end])) ++end;
    if (end >= text_.size() || text_[end] != '$') return keep(at_ + 1);
    const std::string_view tag = text_.substr(at_, end + 1 - at_);
    const std::size_t close = text_.find(tag, end + 1);
    if (close == std::string_view::npos) {
      wrong_ = "a quote is not closed";
      return;
    }
    keep(close + tag.size());
  }

  void colon() {
    empty_ = false;
    if (ahead("::") || ahead(":=")) return keep(at_ + 2);
    std::size_t end = at_ + 1;
    if (end >= text_.size() || !begins_name(text_[end])) return keep(at_ + 1);
    while (end < text_.size() && in_name(text_[end])) ++end;
    const std::string name(text_.substr(at_ + 1, end - at_ - 1));
    auto& names = current_.parameters;
    auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) found = names.insert(names.end(), name);
    current_.sql += fmt::format("${}", found - names.begin() + 1);
    at_ = end;
  }

  void word() {
    std::size_t end = at_ + 1;
    while (end < text_.size() && (in_name(text_[end]) || text_[end] == '$')) ++end;
    const std::string name = ascii_lower(text_.substr(at_, end - at_));
    if (empty_) first_ = name;
    empty_ = false;
    const bool escapes = name == "e" && end < text_.size() && text_[end] == '\'';
    keep(end);
    if (escapes) quoted('\'', true);
  }

  void end_statement() {
    PostgresStatement done = std::exchange(current_, {});
    const std::string first = std::exchange(first_, {});
    if (std::exchange(empty_, true)) return;
    if (std::find(kOthers.begin(), kOthers.end(), first) != kOthers.end()) {
      wrong_ = fmt::format(
          "`{}` is no statement for a tool: it runs in one transaction, which is not its own", first);
      return;
    }
    out_.push_back(std::move(done));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  PostgresStatement current_;
  std::string first_;  // word of the statement
  bool empty_ = true;  // nothing but blanks and comments so far
  std::vector<PostgresStatement> out_;
  std::string wrong_;
};

}  // namespace

Result<std::vector<PostgresStatement>> read_postgres_script(std::string_view script) {
  return Scan(script).all();
}

}  // namespace holdfast::agent
