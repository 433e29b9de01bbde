#pragma once

// The shop's database: an ordinary SQLite file, the same rows every time. Blocking; any thread.

#include <filesystem>
#include <string>
#include <vector>

#include "holdfast/status.h"

namespace holdfast::demo {

// The order that the story is about.
inline constexpr int kOrder = 1042;
inline constexpr int kCustomer = 17;
inline constexpr double kTotal = 249.0;
inline constexpr const char* kCustomerName = "Mara Lindqvist";

struct ShopState {
  int customers = 0;
  int orders = 0;
  int refunds = 0;
  double refunded = 0;       // sum over all refunds
  int refunds_of_order = 0;  // of kOrder
  double refunded_of_order = 0;
  std::string order_status;  // of kOrder
};

Status make_shop(const std::filesystem::path& file);
Result<ShopState> read_shop(const std::filesystem::path& file);

}  // namespace holdfast::demo
