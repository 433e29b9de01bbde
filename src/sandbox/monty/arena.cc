#include "monty/arena.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <unordered_map>

#include "base/json.h"
#include "base/text.h"
#include "holdfast/monty/v1/worker.pb.h"

namespace holdfast::sandbox {

namespace {

namespace pb = holdfast::monty::v1;

constexpr std::array<std::string_view, 35> kKeywords = {
    "False", "None",     "True",  "and",    "as",   "assert", "async",  "await",    "break",
    "class", "continue", "def",   "del",    "elif", "else",   "except", "finally",  "for",
    "from",  "global",   "if",    "import", "in",   "is",     "lambda", "nonlocal", "not",
    "or",    "pass",     "raise", "return", "try",  "while",  "with",   "yield"};

bool is_name(std::string_view text) {
  const auto is_part = [](unsigned char c) { return c == '_' || c >= 0x80 || std::isalnum(c) != 0; };
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0 &&
         std::ranges::all_of(text, is_part) && std::ranges::find(kKeywords, text) == kKeywords.end();
}

// Most significant byte first. As long as its digits are few, the square of them is, too.
std::string magnitude_of(std::string_view digits) {
  std::vector<std::uint32_t> limbs;  // the least significant first
  for (const char digit : digits) {
    std::uint64_t carry = static_cast<std::uint64_t>(digit - '0');
    for (std::uint32_t& limb : limbs) {
      carry += std::uint64_t{limb} * 10;
      limb = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry > 0) limbs.push_back(static_cast<std::uint32_t>(carry));
  }
  std::string out;
  for (auto limb = limbs.rbegin(); limb != limbs.rend(); ++limb) {
    for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(*limb >> shift);
  }
  out.erase(0, std::min(out.find_first_not_of('\0'), out.size()));
  return out;
}

// Writes each value behind those that it holds, as it is read.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(bool decimals_as_text) : decimals_as_text_(decimals_as_text) {}

  bool null() override {
    node_.mutable_none();
    return add();
  }
  bool boolean(bool value) override {
    node_.set_boolean(value);
    return add();
  }
  bool number_integer(number_integer_t value) override {
    node_.set_integer(value);
    return add();
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) return large_integer(std::to_string(value));
    node_.set_integer(static_cast<std::int64_t>(value));
    return add();
  }
  // Also an integer of more than 64 bits.
  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") == std::string::npos) return large_integer(text);
    if (decimals_as_text_) {
      node_.set_text(text);
    } else {
      node_.set_number(value);
    }
    return add();
  }
  bool string(string_t& value) override {
    node_.set_text(value);
    return add();
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    levels_.push_back({true, {}});
    return true;
  }
  bool key(string_t& value) override {
    if (levels_.size() == 1) {
      name_ = value;
      return is_name(value)
                 ? true
                 : refuse(fmt::format("an input is called '{}', which is no name in Python: call it "
                                      "something else",
                                      cut_text(value, 100)));
    }
    return string(value);
  }
  bool end_object() override {
    const Level level = std::move(levels_.back());
    levels_.pop_back();
    if (levels_.empty()) return true;
    pb::Pairs& pairs = *node_.mutable_dict();
    for (std::size_t i = 0; i + 1 < level.items.size(); i += 2) {
      pb::Pair& pair = *pairs.add_pairs();
      pair.set_key(level.items[i]);
      pair.set_value(level.items[i + 1]);
    }
    return add();
  }
  bool start_array(std::size_t) override {
    if (levels_.empty()) return refuse(kNoObject);
    levels_.push_back({false, {}});
    return true;
  }
  bool end_array() override {
    const Level level = std::move(levels_.back());
    levels_.pop_back();
    node_.mutable_list()->mutable_items()->Add(level.items.begin(), level.items.end());
    return add();
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    return refuse(fmt::format("the inputs are no JSON: {}", cut_text(error.what(), 200)));
  }

  Inputs take() {
    Inputs out;
    out.arena = std::move(arena_);
    for (auto& [name, node] : names_) out.names.emplace_back(name, node);
    return out;
  }
  const std::string& why() const { return why_; }

 private:
  static constexpr const char* kNoObject =
      "the inputs are no JSON object; its members are the names that the code sees";
  struct Level {
    bool is_object = false;
    std::vector<std::uint32_t> items;  // of an object: key, value, key, value
  };

  bool refuse(std::string why) {
    why_ = std::move(why);
    return false;
  }
  bool large_integer(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    if (text.size() > kMostIntegerDigits)
      return refuse(fmt::format("an integer of the inputs has more than {} digits; pass it as text",
                                kMostIntegerDigits));
    node_.mutable_large_integer()->set_negative(negative);
    node_.mutable_large_integer()->set_magnitude(magnitude_of(text));
    return add();
  }
  // What node_ holds becomes the next node, of whatever is open.
  bool add() {
    if (levels_.empty()) return refuse(kNoObject);
    constexpr char kNodesTag = (2 << 3) | 2;
    arena_ += kNodesTag;
    std::size_t size = node_.ByteSizeLong();
    for (; size >= 0x80; size >>= 7) arena_ += static_cast<char>(size | 0x80);
    arena_ += static_cast<char>(size);
    node_.AppendToString(&arena_);
    node_.Clear();
    if (levels_.size() == 1) {
      names_[name_] = count_++;
    } else {
      levels_.back().items.push_back(count_++);
    }
    return true;
  }

  const bool decimals_as_text_;
  pb::Node node_;
  std::string arena_;
  std::uint32_t count_ = 0;
  std::vector<Level> levels_;
  std::string name_;  // of the input that is being read
  std::unordered_map<std::string, std::uint32_t> names_;
  std::string why_;
};

}  // namespace

std::expected<Inputs, Failure> inputs_of(std::string_view json, bool decimals_as_text) {
  const auto refused = [](std::string why) {
    return std::unexpected(Failure{Fault::kInput, "", std::move(why)});
  };
  if (nests_deeper(json, kMaxForeignJsonDepth))
    return refused(fmt::format("the inputs nest deeper than {} levels", kMaxForeignJsonDepth));
  if (json.find('\0') != std::string_view::npos)
    return refused("the inputs have a NUL, which JSON does not have");
  Builder builder(decimals_as_text);
  if (!nlohmann::json::sax_parse(json, &builder)) return refused(builder.why());
  return builder.take();
}

}  // namespace holdfast::sandbox
