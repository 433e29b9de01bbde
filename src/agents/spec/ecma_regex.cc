#include "spec/ecma_regex.h"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include <fmt/format.h>
#include <re2/re2.h>

namespace holdfast::spec {

namespace {

constexpr std::int64_t kMaxMemory = 256 * 1024;  // of one pattern
constexpr std::size_t kMaxCached = 128;

// White space and ends of lines, as ECMA-262 has them.
constexpr std::string_view kSpaces =
    "\\s\\x{0b}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
constexpr std::string_view kLineEnds = "\\n\\r\\x{2028}\\x{2029}";

// Names of properties that RE2 knows by another one.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kProperties = {{
    {"Letter", "L"},
    {"Lowercase_Letter", "Ll"},
    {"Uppercase_Letter", "Lu"},
    {"Titlecase_Letter", "Lt"},
    {"Mark", "M"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Symbol", "S"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Other", "C"},
}};

// One pattern on its way from one notation into the other.
class Translation {
 public:
  explicit Translation(std::string_view pattern) : rest_(pattern) {}

  Result<std::string> run() {
    while (!rest_.empty() && error_.empty()) in_class_ ? class_part() : part();
    if (error_.empty() && in_class_) error_ = "a `[` is not closed";
    if (!error_.empty()) return fail(Code::kInvalidArgument, error_);
    return std::move(out_);
  }

 private:
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  char take_one() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void part() {
    if (rest_.front() == '\\') return escape();
    if (rest_.front() == '(') return group();
    if (rest_.front() == '[') {
      if (rest_.starts_with("[]") || rest_.starts_with("[^]")) {
        error_ = "an empty class `[]` is not supported";
        return;
      }
      in_class_ = true;
      out_ += take("[^") ? "[^" : (take_one(), "[");
      return;
    }
    const char c = take_one();
    if (c == '.') {
      out_ += fmt::format("[^{}]", kLineEnds);
    } else {
      out_ += c;
    }
  }

  void class_part() {
    if (rest_.front() == '\\') return escape();
    const char c = take_one();
    if (c == ']') in_class_ = false;
    if (c == '[') out_ += '\\';  // RE2 has classes by name in there
    out_ += c;
  }

  void group() {
    for (std::string_view kind : {"(?=", "(?!", "(?<=", "(?<!"}) {
      if (!rest_.starts_with(kind)) continue;
      error_ = fmt::format("looking around, `{}`, is not supported", kind);
      return;
    }
    if (take("(?:")) {
      out_ += "(?:";
    } else if (take("(?<")) {
      out_ += "(?P<";
    } else if (rest_.starts_with("(?")) {
      error_ = "`(?` is followed by what is not known";
    } else {
      out_ += take_one();
    }
  }

  void escape() {
    rest_.remove_prefix(1);
    if (rest_.empty()) {
      error_ = "a `\\` at the end escapes nothing";
      return;
    }
    const char c = take_one();
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 'n':
      case 'r':
      case 't':
      case 'f': out_ += {'\\', c}; return;
      case 'v': out_ += "\\x{0b}"; return;
      case 's': out_ += in_class_ ? std::string(kSpaces) : fmt::format("[{}]", kSpaces); return;
      case 'S':
        if (in_class_) error_ = "`\\S` in a class is not supported";
        out_ += fmt::format("[^{}]", kSpaces);
        return;
      case 'b': out_ += in_class_ ? "\\x{08}" : "\\b"; return;
      case 'B':
        if (in_class_) error_ = "`\\B` does not belong into a class";
        out_ += "\\B";
        return;
      case 'c': return control();
      case 'x': return code(2);
      case 'u': return take("{") ? code_in_braces() : code(4);
      case 'p':
      case 'P': return property(c);
      default: return other(c);
    }
  }

  void other(char c) {
    if (c == '0' && (rest_.empty() || rest_[0] < '0' || rest_[0] > '9')) {
      out_ += "\\x{00}";
    } else if (c >= '0' && c <= '9') {
      error_ = fmt::format("going back to a group, `\\{}`, is not supported", c);
    } else if (std::string_view("^$\\.*+?()[]{}|/").find(c) != std::string_view::npos) {
      if (c != '/') out_ += '\\';
      out_ += c;
    } else if (c == '-' && in_class_) {
      out_ += "\\-";
    } else if (static_cast<unsigned char>(c) < 0x80 && !((c | 32) >= 'a' && (c | 32) <= 'z')) {
      out_ += {'\\', c};  // of older texts: an escaped sign that needs none
    } else {
      error_ = fmt::format("`\\{}` is not known", c);
    }
  }

  void control() {
    if (rest_.empty() || !((rest_[0] | 32) >= 'a' && (rest_[0] | 32) <= 'z')) {
      error_ = "`\\c` needs a letter";
      return;
    }
    out_ += fmt::format("\\x{{{:02x}}}", take_one() & 31);
  }

  std::optional<std::uint32_t> hex(std::size_t digits) {
    std::uint32_t out = 0;
    if (rest_.size() < digits) return std::nullopt;
    for (std::size_t i = 0; i < digits; ++i) {
      const char c = rest_[i];
      const int digit = c >= '0' && c <= '9'                 ? c - '0'
                        : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                             : -1;
      if (digit < 0) return std::nullopt;
      out = out * 16 + static_cast<std::uint32_t>(digit);
    }
    rest_.remove_prefix(digits);
    return out;
  }

  void code(std::size_t digits) {
    std::optional<std::uint32_t> value = hex(digits);
    if (value && *value >= 0xd800 && *value < 0xdc00 && take("\\u")) {
      const std::optional<std::uint32_t> low = hex(4);
      value = low && *low >= 0xdc00 && *low < 0xe000
                  ? std::optional(0x10000 + ((*value - 0xd800) << 10) + (*low - 0xdc00))
                  : std::nullopt;
    }
    add_code(value);
  }
  void code_in_braces() {
    const std::size_t end = rest_.find('}');
    std::optional<std::uint32_t> value;
    if (end != std::string_view::npos && end >= 1 && end <= 6) value = hex(end);
    if (value) take("}");
    add_code(value);
  }
  void add_code(std::optional<std::uint32_t> value) {
    if (!value || *value > 0x10ffff || (*value >= 0xd800 && *value < 0xe000)) {
      error_ = "a `\\x` or `\\u` does not name a character";
      return;
    }
    out_ += fmt::format("\\x{{{:x}}}", *value);
  }

  void property(char c) {
    const std::size_t end = rest_.find('}');
    if (!rest_.starts_with('{') || end == std::string_view::npos) {
      error_ = fmt::format("`\\{}` needs a name in braces", c);
      return;
    }
    std::string_view name = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    for (std::string_view kind : {"Script=", "sc=", "General_Category=", "gc="}) {
      if (name.starts_with(kind)) name.remove_prefix(kind.size());
    }
    for (const auto& [known, short_name] : kProperties) {
      if (name == known) name = short_name;
    }
    out_ += fmt::format("\\{}{{{}}}", c, name);
  }

  std::string_view rest_;
  std::string out_;
  std::string error_;
  bool in_class_ = false;
};

using Compiled = std::shared_ptr<const RE2>;

Result<Compiled> compile(std::string_view pattern) {
  if (pattern.size() > kMaxPatternBytes) {
    return fail(Code::kInvalidArgument, fmt::format("it may have {} bytes", kMaxPatternBytes));
  }
  Result<std::string> translated = Translation(pattern).run();
  if (!translated) return fail(translated.error());
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMemory);
  auto out = std::make_shared<const RE2>(*translated, options);
  if (!out->ok()) return fail(Code::kInvalidArgument, out->error());
  return out;
}

// Patterns of definitions are few, and the same ones come again.
Compiled cached(std::string_view pattern) {
  static std::mutex mutex;
  static std::map<std::string, Compiled, std::less<>> cache;
  {
    const std::lock_guard lock(mutex);
    if (const auto found = cache.find(pattern); found != cache.end()) return found->second;
  }
  Result<Compiled> compiled = compile(pattern);
  const std::lock_guard lock(mutex);
  if (cache.size() >= kMaxCached) cache.clear();
  return cache[std::string(pattern)] = compiled ? *compiled : nullptr;
}

}  // namespace

Status check_pattern(std::string_view pattern) {
  const Result<Compiled> compiled = compile(pattern);
  return compiled ? Status() : compiled.error();
}

bool matches_pattern(std::string_view pattern, std::string_view text) {
  const Compiled compiled = cached(pattern);
  return compiled && RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled);
}

}  // namespace holdfast::spec
