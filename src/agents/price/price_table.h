#pragma once

// PriceTable: which model of which server costs what, and since when that is known. A dated list is compiled
// in (prices.json); the operator's files go before it (docs/guide/budgets.md). A model that is not in it has
// no price, which is not the same as costing nothing.
//
// Read once, then immutable; any thread.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.h"
#include "price/price.h"

namespace holdfast::price {

inline constexpr std::size_t kMaxPriceFileBytes = 4 << 20;
inline constexpr std::size_t kMaxPriceEntries = 20'000;

// The text of prices.json.
extern const std::string_view kBuiltinPrices;

class PriceTable {
 public:
  // Of what is compiled in.
  static const PriceTable& builtin();
  // INVALID_ARGUMENT "source: providers[0].models[2].input: what is wrong".
  static Result<PriceTable> read(std::string_view text, std::string_view source);

  // What `above` says of a model goes before what this one says.
  void override_with(const PriceTable& above);

  // `host` as in a URL, with or without port; `model` as the definition names it. None: not known.
  std::optional<Price> find(std::string_view host, std::string_view model) const;
  // Of the whole list: the date of the newest part.
  const std::string& as_of() const { return as_of_; }

 private:
  struct Entry {
    std::vector<std::string> hosts;
    std::string model;  // with `*` for any characters
    Price price;
  };
  std::vector<std::vector<Entry>> lists_;  // the first that knows a model is right
  std::string as_of_;
};

// Whether `text` is of the pattern, in which `*` stands for any characters.
bool matches(std::string_view pattern, std::string_view text);

}  // namespace holdfast::price
