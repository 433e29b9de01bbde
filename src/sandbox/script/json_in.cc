#include "script/json_in.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/json.h"

namespace holdfast::sandbox {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMostSafeInteger = (std::int64_t{1} << 53) - 1;
class Reader final : public nlohmann::json_sax<Json> {
 public:
  Reader(JSContext* context, bool decimals_as_text)
      : context_(context), decimals_as_text_(decimals_as_text), root_(context, JS_UNDEFINED) {}
  ~Reader() override {
    for (const Open& open : open_) {
      if (open.key != JS_ATOM_NULL) JS_FreeAtom(context_, open.key);
    }
  }

  Value take() { return std::move(root_); }
  const std::string& error() const { return error_; }

  bool null() override { return add(JS_NULL); }
  bool boolean(bool value) override { return add(JS_NewBool(context_, value)); }
  bool number_integer(number_integer_t value) override {
    const bool safe = value >= -kMostSafeInteger && value <= kMostSafeInteger;
    return add(safe ? JS_NewInt64(context_, value) : JS_NewBigInt64(context_, value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    const bool safe = value <= static_cast<std::uint64_t>(kMostSafeInteger);
    return add(safe ? JS_NewInt64(context_, static_cast<std::int64_t>(value))
                    : JS_NewBigUint64(context_, value));
  }
  bool number_float(number_float_t value, const std::string& text) override {
    if (text.find_first_of(".eE") == std::string::npos) return large_integer(text);
    if (decimals_as_text_) return add(JS_NewStringLen(context_, text.data(), text.size()));
    return add(JS_NewFloat64(context_, value));
  }
  bool string(string_t& value) override { return add(JS_NewStringLen(context_, value.data(), value.size())); }
  bool binary(binary_t&) override { return fail("binary values are no JSON"); }
  bool start_object(std::size_t) override { return open(JS_NewObject(context_), false); }
  bool start_array(std::size_t) override { return open(JS_NewArray(context_), true); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    open_.back().key = JS_NewAtomLen(context_, name.data(), name.size());
    return open_.back().key != JS_ATOM_NULL;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    constexpr int kNumberOverflow = 406;
    if (error.id == kNumberOverflow) return fail("a number in it is larger than 1.8e308");
    return fail(std::string(error.what()).substr(0, 200));
  }

 private:
  struct Open {
    JSValueConst value;  // held by what it stands in
    bool array;
    JSAtom key = JS_ATOM_NULL;
    std::uint32_t next = 0;
  };

  bool fail(std::string why) {
    if (error_.empty()) error_ = std::move(why);
    return false;
  }

  bool large_integer(const std::string& text) {
    const Value global(context_, JS_GetGlobalObject(context_));
    const Value make(context_, JS_GetPropertyStr(context_, global.get(), "BigInt"));
    const Value digits(context_, JS_NewStringLen(context_, text.data(), text.size()));
    JSValueConst argument = digits.get();
    return add(JS_Call(context_, make.get(), JS_UNDEFINED, 1, &argument));
  }

  bool add(JSValue value) {
    if (JS_IsException(value)) return false;
    if (open_.empty()) {
      root_ = Value(context_, value);
      return true;
    }
    Open& inside = open_.back();
    if (inside.array)
      return JS_DefinePropertyValueUint32(context_, inside.value, inside.next++, value, JS_PROP_C_W_E) >= 0;
    const JSAtom key = std::exchange(inside.key, JS_ATOM_NULL);
    const bool done = JS_DefinePropertyValue(context_, inside.value, key, value, JS_PROP_C_W_E) >= 0;
    JS_FreeAtom(context_, key);
    return done;
  }
  bool open(JSValue value, bool array) {
    if (open_.size() >= kMaxForeignJsonDepth) {
      JS_FreeValue(context_, value);
      return fail("it nests deeper than " + std::to_string(kMaxForeignJsonDepth) + " levels");
    }
    if (!add(value)) return false;
    open_.push_back({value, array});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  JSContext* context_;
  const bool decimals_as_text_;
  Value root_;
  std::vector<Open> open_;
  std::string error_;
};

}  // namespace

std::optional<Value> read_value(JSContext* context, std::string_view text, bool decimals_as_text,
                                std::string& error) {
  if (text.find('\0') != std::string_view::npos) {
    error = "there is a NUL in it, which JSON does not have";
    return std::nullopt;
  }
  Reader reader(context, decimals_as_text);
  const bool whole = Json::sax_parse(text, &reader);
  error = reader.error();
  if (!whole) return std::nullopt;
  return reader.take();
}

}  // namespace holdfast::sandbox
