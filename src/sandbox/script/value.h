#pragma once

// Value: one reference to a JavaScript value, given back when it goes. Text: its UTF-8, likewise.

#include <quickjs.h>

#include <string_view>
#include <utility>

namespace holdfast::sandbox {

class Value {
 public:
  Value(JSContext* context, JSValue value) : context_(context), value_(value) {}
  ~Value() { JS_FreeValue(context_, value_); }
  Value(Value&& other) noexcept
      : context_(other.context_), value_(std::exchange(other.value_, JS_UNDEFINED)) {}
  Value& operator=(Value&& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(value_, other.value_);
    return *this;
  }

  JSValueConst get() const { return value_; }
  JSValue release() { return std::exchange(value_, JS_UNDEFINED); }
  // An exception is in the context, to be taken from there.
  bool threw() const { return JS_IsException(value_); }

 private:
  JSContext* context_;
  JSValue value_;
};

class Text {
 public:
  Text(JSContext* context, JSValueConst value)
      : context_(context), bytes_(JS_ToCStringLen(context, &size_, value)) {}
  ~Text() {
    if (bytes_ != nullptr) JS_FreeCString(context_, bytes_);
  }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;

  // Converting it threw; the exception is in the context.
  bool threw() const { return bytes_ == nullptr; }
  std::string_view get() const {
    return bytes_ == nullptr ? std::string_view() : std::string_view(bytes_, size_);
  }

 private:
  JSContext* context_;
  std::size_t size_ = 0;
  const char* bytes_;
};

}  // namespace holdfast::sandbox
