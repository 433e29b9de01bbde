#include "price/price_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "base/check.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/money.h"

namespace holdfast::price {

namespace {

using Json = nlohmann::json;

// Reads the file; the first mistake is its answer.
class Reader {
 public:
  explicit Reader(std::string_view source) : source_(source) {}
  const Status& status() const { return status_; }

  void fault(std::string_view where, std::string_view what) {
    if (status_.ok()) status_ = {Code::kInvalidArgument, fmt::format("{}: {}: {}", source_, where, what)};
  }
  // An object with no other members than these.
  bool is_object(const Json& json, std::string_view where, std::initializer_list<std::string_view> known) {
    if (!json.is_object()) return fault(where, "must be an object"), false;
    for (const auto& [name, value] : json.items()) {
      if (std::find(known.begin(), known.end(), name) == known.end())
        return fault(where, fmt::format("`{}` is not known here", name)), false;
    }
    return true;
  }
  const Json* list(const Json& parent, const char* name, std::string_view where) {
    const auto found = parent.find(name);
    if (found != parent.end() && found->is_array() && !found->empty()) return &*found;
    fault(fmt::format("{}.{}", where, name), "must be a list that is not empty");
    return nullptr;
  }
  std::vector<std::string> texts(const Json& parent, const char* name, std::string_view where) {
    std::vector<std::string> out;
    const Json* found = list(parent, name, where);
    if (found == nullptr) return out;
    for (const Json& one : *found) {
      if (!one.is_string() || one.get_ref<const std::string&>().empty()) {
        fault(fmt::format("{}.{}", where, name), "holds texts that are not empty");
        return {};
      }
      out.push_back(one.get<std::string>());
    }
    return out;
  }
  std::string date(const Json& parent, std::string_view where, std::string fallback) {
    const auto found = parent.find("as_of");
    if (found == parent.end()) return fallback;
    if (found->is_string() && parse_iso_time(found->get<std::string>() + "T00:00:00Z")) return *found;
    fault(fmt::format("{}.as_of", where), "must be a date such as 2026-11-28");
    return fallback;
  }
  // Dollars as a text: a number of JSON would not be exact.
  std::optional<std::int64_t> dollars(const Json& parent, const char* name, std::string_view where) {
    const auto found = parent.find(name);
    if (found == parent.end()) return std::nullopt;
    const std::string at = fmt::format("{}.{}", where, name);
    if (!found->is_string()) return fault(at, "must be dollars as a text, such as \"2.50\""), std::nullopt;
    const auto nanos = parse_nano_dollars(found->get_ref<const std::string&>());
    if (!nanos) return fault(at, nanos.error().message()), std::nullopt;
    if (*nanos > kMaxPrice) return fault(at, "is more than 9,000 dollars per million tokens"), std::nullopt;
    return *nanos;
  }
  Rates rates(const Json& json, std::string_view where) {
    Rates out;
    const auto input = dollars(json, "input", where);
    const auto output = dollars(json, "output", where);
    if (!input || !output) fault(where, "needs `input` and `output`");
    out.input = input.value_or(0);
    out.output = output.value_or(0);
    out.cached_input = dollars(json, "cached_input", where).value_or(out.input);
    out.cache_write = dollars(json, "cache_write", where).value_or(out.input);
    out.reasoning = dollars(json, "reasoning", where).value_or(out.output);
    return out;
  }
  Price price(const Json& json, std::string_view where, std::string as_of) {
    Price out;
    out.as_of = date(json, where, std::move(as_of));
    out.rates = rates(json, where);
    const auto longer = json.find("long_prompt");
    if (longer == json.end()) return out;
    const std::string at = fmt::format("{}.long_prompt", where);
    if (!is_object(*longer, at, {"above", "input", "cached_input", "cache_write", "output", "reasoning"}))
      return out;
    const auto above = longer->find("above");
    if (above == longer->end() || !above->is_number_unsigned() ||
        above->get<std::uint64_t>() > 1'000'000'000) {
      fault(at + ".above", "must be a number of tokens");
      return out;
    }
    out.long_above = above->get<std::int64_t>();
    out.long_rates = rates(*longer, at);
    return out;
  }

 private:
  std::string_view source_;
  Status status_;
};

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  // An address of IPv6 has colons of its own, in brackets.
  return colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos
             ? host
             : host.substr(0, colon);
}

std::size_t literal_characters(std::string_view pattern) {
  return pattern.size() - static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t behind = 0;  // where the text goes on behind that star
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      behind = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++behind;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

const PriceTable& PriceTable::builtin() {
  static const PriceTable table = [] {
    auto read = PriceTable::read(kBuiltinPrices, "prices.json");
    HF_CHECK(read.has_value());  // a constant of ours, and a test reads it
    return *std::move(read);
  }();
  return table;
}

Result<PriceTable> PriceTable::read(std::string_view text, std::string_view source) {
  Reader reader(source);
  if (text.size() > kMaxPriceFileBytes) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: {} bytes, at most {} are read", source, text.size(), kMaxPriceFileBytes));
  }
  auto json = read_json(text, kMaxForeignJsonDepth);
  if (!json) return fail(Code::kInvalidArgument, fmt::format("{}: {}", source, json.error().message()));
  if (!reader.is_object(*json, "the file",
                        {"format", "as_of", "currency", "per_tokens", "sources", "providers"}))
    return fail(reader.status());
  if (json->value("format", Json()) != 1) reader.fault("format", "must be 1");
  if (json->value("currency", Json()) != "USD") reader.fault("currency", "must be \"USD\"");
  if (json->value("per_tokens", Json()) != 1'000'000) reader.fault("per_tokens", "must be 1000000");
  if (!json->contains("as_of")) reader.fault("as_of", "is missing: the date of these prices");
  PriceTable out;
  out.as_of_ = reader.date(*json, "the file", "");
  std::vector<Entry>& entries = out.lists_.emplace_back();
  const Json* providers = reader.status().ok() ? reader.list(*json, "providers", "the file") : nullptr;
  for (std::size_t i = 0; providers != nullptr && i < providers->size(); ++i) {
    const std::string at = fmt::format("providers[{}]", i);
    const Json& provider = (*providers)[i];
    if (!reader.is_object(provider, at, {"name", "hosts", "as_of", "models"})) break;
    const std::vector<std::string> hosts = reader.texts(provider, "hosts", at);
    const std::string as_of = reader.date(provider, at, out.as_of_);
    const Json* models = reader.list(provider, "models", at);
    for (std::size_t k = 0; models != nullptr && k < models->size() && reader.status().ok(); ++k) {
      const std::string where = fmt::format("{}.models[{}]", at, k);
      const Json& model = (*models)[k];
      if (!reader.is_object(model, where,
                            {"match", "input", "cached_input", "cache_write", "output", "reasoning",
                             "long_prompt", "as_of"}))
        break;
      const Price price = reader.price(model, where, as_of);
      for (std::string& name : reader.texts(model, "match", where))
        entries.push_back({hosts, std::move(name), price});
      if (entries.size() > kMaxPriceEntries) reader.fault(where, "there are more than 20,000 models");
    }
  }
  if (!reader.status().ok()) return fail(reader.status());
  return out;
}

void PriceTable::override_with(const PriceTable& above) {
  lists_.insert(lists_.begin(), above.lists_.begin(), above.lists_.end());
  as_of_ = std::max(as_of_, above.as_of_);
}

std::optional<Price> PriceTable::find(std::string_view host, std::string_view model) const {
  const std::string_view bare = without_port(host);
  const auto is_of = [&](const Entry& entry) {
    return matches(entry.model, model) && std::ranges::any_of(entry.hosts, [&](const std::string& pattern) {
             return matches(pattern, bare) || matches(pattern, host);
           });
  };
  for (const std::vector<Entry>& list : lists_) {
    const Entry* best = nullptr;
    for (const Entry& entry : list) {
      if (best != nullptr && literal_characters(entry.model) <= literal_characters(best->model)) continue;
      if (is_of(entry)) best = &entry;
    }
    if (best != nullptr) return best->price;
  }
  return std::nullopt;
}

}  // namespace holdfast::price
