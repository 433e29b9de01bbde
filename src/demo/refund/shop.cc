#include "refund/shop.h"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "sqlite/statement.h"

namespace holdfast::demo {

namespace {

using sqlite::Access;
using sqlite::Database;
using sqlite::Statement;

constexpr std::chrono::seconds kBusyTimeout{5};

constexpr int kCustomers = 40;
constexpr int kOrders = 320;
constexpr int kFirstOrder = 1000;

constexpr const char* kSchema = R"(
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, tier TEXT NOT NULL);
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), item TEXT NOT NULL,
                    total REAL NOT NULL, currency TEXT NOT NULL, status TEXT NOT NULL, ordered_on TEXT NOT NULL);
CREATE TABLE refunds(id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(id), amount REAL NOT NULL,
                     reason TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX orders_by_customer ON orders(customer_id);
)";

// Numbers that look random and are the same on every machine.
class Numbers {
 public:
  int below(int limit) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<int>((state_ >> 33) % static_cast<std::uint64_t>(limit));
  }

 private:
  std::uint64_t state_ = 20240229;
};

std::string rows() {
  static constexpr std::array<const char*, 8> kFirst = {"Ada",  "Ben",  "Chidi", "Dana",
                                                        "Elif", "Femi", "Greta", "Hugo"};
  static constexpr std::array<const char*, 5> kLast = {"Okafor", "Berg", "Silva", "Novak", "Tanaka"};
  static constexpr std::array<const char*, 6> kItems = {"Kettle",  "Desk lamp",  "Coffee grinder",
                                                        "Toaster", "Headphones", "Backpack"};
  Numbers numbers;
  std::string sql = "BEGIN;";
  for (int id = 1; id <= kCustomers; ++id) {
    const bool story = id == kCustomer;
    std::string name = story ? kCustomerName : fmt::format("{} {}", kFirst[id % 8], kLast[id % 5]);
    sql += fmt::format("INSERT INTO customers VALUES({}, '{}', 'customer{}@example.com', '{}');", id, name,
                       id, story || id % 7 == 0 ? "gold" : "standard");
  }
  for (int n = 0; n < kOrders; ++n) {
    const int id = kFirstOrder + n;
    const bool story = id == kOrder;
    const int customer = story ? kCustomer : 1 + numbers.below(kCustomers);
    const double total = story ? kTotal : 15.0 + numbers.below(20000) / 100.0;
    sql += fmt::format(
        "INSERT INTO orders VALUES({}, {}, '{}', {:.2f}, 'EUR', 'delivered', '2026-{:02}-{:02}');", id,
        customer, story ? "Espresso machine" : kItems[numbers.below(6)], total, 1 + numbers.below(9),
        1 + numbers.below(28));
    if (!story && n % 13 == 5) {
      sql += fmt::format(
          "INSERT INTO refunds(order_id, amount, reason, created_at) VALUES({}, {:.2f}, 'damaged', "
          "'2026-10-{:02}');",
          id, total, 1 + numbers.below(28));
    }
  }
  return sql + "COMMIT;";
}

}  // namespace

Status make_shop(const std::filesystem::path& file) {
  Database db;
  if (Status opened = db.open(file, {.busy_timeout = kBusyTimeout, .pragmas = "PRAGMA journal_mode=WAL"});
      !opened.ok())
    return opened;
  if (Status made = db.execute(kSchema); !made.ok()) return made;
  return db.execute(rows().c_str());
}

Result<ShopState> read_shop(const std::filesystem::path& file) {
  Database db;
  // For writing: a killed writer's log is rolled forward by the next opener.
  Status opened = db.open(file, {.access = Access::kReadWrite, .busy_timeout = kBusyTimeout});
  if (!opened.ok()) return fail(opened);
  Statement query(db,
                  "SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM orders), count(*), "
                  "coalesce(sum(amount), 0), coalesce(sum(order_id = ?1), 0), "
                  "coalesce(sum(CASE WHEN order_id = ?1 THEN amount END), 0), "
                  "(SELECT status FROM orders WHERE id = ?1) FROM refunds");
  if (!query.bind(kOrder).next()) return fail(query.status());
  ShopState state;
  query.read(state.customers, state.orders, state.refunds, state.refunded, state.refunds_of_order,
             state.refunded_of_order, state.order_status);
  return state;
}

}  // namespace holdfast::demo
