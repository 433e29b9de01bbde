#include "script/json_out.h"

#include <cmath>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "script/value.h"

namespace holdfast::sandbox {

namespace {

class Writer {
 public:
  Writer(JSContext* context, std::size_t most, std::string& out, std::string& error)
      : context_(context), most_(most), out_(out), error_(error) {}

  Written value(JSValueConst given, int depth) {
    if (depth > kMaxForeignJsonDepth)
      return no_json("nests deeper than " + std::to_string(kMaxForeignJsonDepth) +
                     " levels, or holds itself");
    if (!JS_IsObject(given) && !JS_IsBigInt(given)) return plain(given);
    if (JS_IsBigInt(given)) return text_of(given);
    Value json(context_, JS_GetPropertyStr(context_, given, "toJSON"));
    if (json.threw()) return Written::kThrew;
    if (JS_IsFunction(context_, json.get())) {
      const Value converted(context_, JS_Call(context_, json.get(), given, 0, nullptr));
      if (converted.threw()) return Written::kThrew;
      return JS_IsObject(converted.get()) ? object(converted.get(), depth)
                                          : plain_or_integer(converted.get());
    }
    return object(given, depth);
  }

 private:
  Written put(std::string_view text) {
    if (out_.size() + text.size() > most_) return Written::kTooLong;
    out_ += text;
    return Written::kWhole;
  }
  Written no_json(const std::string& what) {
    error_ = (path_.empty() ? std::string("the result") : "the result's " + path_) + " " + what;
    return Written::kNoJson;
  }

  Written text_of(JSValueConst given) {
    const Text text(context_, given);
    return text.threw() ? Written::kThrew : put(text.get());
  }
  Written plain_or_integer(JSValueConst given) { return JS_IsBigInt(given) ? text_of(given) : plain(given); }
  Written plain(JSValueConst given) {
    if (JS_IsNull(given) || JS_IsUndefined(given)) return put("null");
    if (JS_IsBool(given)) return text_of(given);
    if (JS_IsNumber(given)) {
      double number = 0;
      JS_ToFloat64(context_, &number, given);
      if (!std::isfinite(number))
        return no_json(std::isnan(number) ? "is NaN, which JSON does not have"
                                          : "is infinite, which JSON does not have: a division by zero?");
      return text_of(given);
    }
    if (JS_IsString(given)) return string(given);
    return no_json("is a symbol, which JSON does not have");
  }

  Written string(JSValueConst given) {
    std::size_t size = 0;
    const std::uint16_t* units = JS_ToCStringLenUTF16(context_, &size, given);
    if (units == nullptr) return Written::kThrew;
    const Written written = quoted(units, size);
    JS_FreeCStringUTF16(context_, units);
    return written;
  }
  // U+FFFD in its place would be another text, and two names could become one.
  Written half_a_pair() { return no_json("holds half a surrogate pair, which no text of JSON has"); }

  Written quoted(const std::uint16_t* units, std::size_t size) {
    if (size > most_) return Written::kTooLong;
    out_ += '"';
    for (std::size_t i = 0; i < size; ++i) {
      if (out_.size() > most_) return Written::kTooLong;
      std::uint32_t point = units[i];
      if (point >= 0xD800 && point <= 0xDFFF) {
        const bool pair = point < 0xDC00 && i + 1 < size && units[i + 1] >= 0xDC00 && units[i + 1] <= 0xDFFF;
        if (!pair) return half_a_pair();
        point = 0x10000 + ((point - 0xD800) << 10) + (units[++i] - 0xDC00U);
      }
      character(point);
    }
    out_ += '"';
    return out_.size() > most_ ? Written::kTooLong : Written::kWhole;
  }
  void character(std::uint32_t point) {
    constexpr std::string_view kHex = "0123456789abcdef";
    if (point == '"' || point == '\\') {
      out_ += {'\\', static_cast<char>(point)};
    } else if (point == '\n') {
      out_ += "\\n";
    } else if (point < 0x20) {
      out_ += {'\\', 'u', '0', '0', kHex[point >> 4], kHex[point & 15]};
    } else if (point < 0x80) {
      out_ += static_cast<char>(point);
    } else if (point < 0x800) {
      out_ += {static_cast<char>(0xC0 | point >> 6), static_cast<char>(0x80 | (point & 63))};
    } else if (point < 0x10000) {
      out_ += {static_cast<char>(0xE0 | point >> 12), static_cast<char>(0x80 | (point >> 6 & 63)),
               static_cast<char>(0x80 | (point & 63))};
    } else {
      out_ += {static_cast<char>(0xF0 | point >> 18), static_cast<char>(0x80 | (point >> 12 & 63)),
               static_cast<char>(0x80 | (point >> 6 & 63)), static_cast<char>(0x80 | (point & 63))};
    }
  }

  Written object(JSValueConst given, int depth) {
    if (JS_IsFunction(context_, given)) return no_json("is a function, which JSON does not have");
    if (JS_IsPromise(given)) return no_json("is a Promise: await it");
    if (JS_IsMap(given)) return no_json("is a Map: return Object.fromEntries(it)");
    if (JS_IsSet(given)) return no_json("is a Set: return [...it]");
    if (JS_IsArray(given) || stands_for_array(given)) return array(given, depth);
    const JSClassID id = JS_GetClassID(given);
    if (id == ordinary_) return members(given, depth);
    const std::string kind = class_of(given);
    if (kind == "Object") ordinary_ = id;
    if (kind == "Number" || kind == "String" || kind == "Boolean" || kind == "BigInt")
      return unwrapped(given);
    // Its members are not what it is: JSON.stringify would make {} of it.
    const bool is_members =
        kind == "Object" || kind == "Arguments" || JS_IsProxy(given) || JS_GetTypedArrayType(given) >= 0;
    if (!is_members) {
      return no_json("is of the kind " + kind + ", which JSON does not have" +
                     (JS_IsError(given) ? ": return its message" : ""));
    }
    return members(given, depth);
  }

  // As the engine names it, whatever the code calls it.
  std::string class_of(JSValueConst given) const {
    const JSAtom name = JS_GetClassName(JS_GetRuntime(context_), JS_GetClassID(given));
    const Value value(context_, JS_AtomToString(context_, name));
    JS_FreeAtom(context_, name);
    const Text text(context_, value.get());
    return text.threw() ? std::string() : std::string(text.get());
  }

  // new Number(3)
  Written unwrapped(JSValueConst given) {
    const JSAtom name = JS_NewAtom(context_, "valueOf");
    const Value inside(context_, JS_Invoke(context_, given, name, 0, nullptr));
    JS_FreeAtom(context_, name);
    if (inside.threw()) return Written::kThrew;
    if (JS_IsObject(inside.get())) return no_json("has a valueOf that gives an object");
    return plain_or_integer(inside.get());
  }

  // A proxy of an array, through however many.
  bool stands_for_array(JSValueConst given) const {
    if (!JS_IsProxy(given)) return false;
    Value target(context_, JS_GetProxyTarget(context_, given));
    for (int proxies = 0; JS_IsProxy(target.get()) && proxies < kMaxForeignJsonDepth; ++proxies)
      target = Value(context_, JS_GetProxyTarget(context_, target.get()));
    return JS_IsArray(target.get());
  }
  Written array(JSValueConst given, int depth) {
    std::int64_t length = 0;
    if (JS_GetLength(context_, given, &length) < 0) return Written::kThrew;
    Written written = put("[");
    for (std::int64_t i = 0; i < length && written == Written::kWhole; ++i) {
      if (i > 0) written = put(",");
      if (written != Written::kWhole) return written;
      const Value item(context_, JS_GetPropertyInt64(context_, given, i));
      if (item.threw()) return Written::kThrew;
      const std::size_t before = path_.size();
      path_ += "[" + std::to_string(i) + "]";
      written = value(item.get(), depth + 1);
      path_.resize(before);
    }
    return written == Written::kWhole ? put("]") : written;
  }
  Written members(JSValueConst given, int depth) {
    JSPropertyEnum* names = nullptr;
    std::uint32_t count = 0;
    if (JS_GetOwnPropertyNames(context_, &names, &count, given, JS_GPN_STRING_MASK | JS_GPN_ENUM_ONLY) < 0)
      return Written::kThrew;
    Written written = put("{");
    bool first = true;
    for (std::uint32_t i = 0; i < count && written == Written::kWhole; ++i) {
      written = member(given, names[i].atom, first, depth);
    }
    JS_FreePropertyEnum(context_, names, count);
    return written == Written::kWhole ? put("}") : written;
  }
  Written member(JSValueConst given, JSAtom name, bool& first, int depth) {
    const Value item(context_, JS_GetProperty(context_, given, name));
    if (item.threw()) return Written::kThrew;
    if (JS_IsUndefined(item.get())) return Written::kWhole;
    Written written = first ? Written::kWhole : put(",");
    first = false;
    const Value key(context_, JS_AtomToString(context_, name));
    if (key.threw()) return Written::kThrew;
    if (written == Written::kWhole) written = string(key.get());
    if (written == Written::kNoJson)
      return no_json("has a member whose name holds half a surrogate pair, which no text of JSON has");
    if (written == Written::kWhole) written = put(":");
    if (written != Written::kWhole) return written;
    const std::size_t before = path_.size();
    const Text text(context_, key.get());
    if (path_.size() < kMostPathBytes)
      path_ += (path_.empty() ? "" : ".") + std::string(text.get().substr(0, 64));
    written = value(item.get(), depth + 1);
    path_.resize(before);
    return written;
  }

  static constexpr std::size_t kMostPathBytes = 512;
  JSContext* context_;
  const std::size_t most_;
  std::string& out_;
  std::string& error_;
  JSClassID ordinary_ = 0;  // of objects that are members alone, once one was met
  std::string path_;
};

}  // namespace

Written write_json(JSContext* context, JSValueConst value, std::size_t most, std::string& out,
                   std::string& error) {
  return Writer(context, most, out, error).value(value, 1);
}

}  // namespace holdfast::sandbox
