#include "refund/shop.h"

#include <array>
#include <memory>

#include <fmt/format.h>
#include <sqlite3.h>

namespace holdfast::demo {

namespace {

using Database = std::unique_ptr<sqlite3, decltype([](sqlite3* db) { sqlite3_close_v2(db); })>;

constexpr int kCustomers = 40;
constexpr int kOrders = 320;
constexpr int kFirstOrder = 1000;

constexpr const char* kSchema = R"(
PRAGMA journal_mode=WAL;
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

Result<Database> open(const std::filesystem::path& file, int flags) {
  sqlite3* raw = nullptr;
  int code = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  Database db(raw);
  if (code != SQLITE_OK) {
    return fail(Code::kUnavailable, fmt::format("cannot open {}: {}", file.string(), sqlite3_errstr(code)));
  }
  sqlite3_busy_timeout(db.get(), 5000);
  return db;
}

Status execute(sqlite3* db, const std::string& sql) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return Status(Code::kInternal, fmt::format("the shop database: {}", sqlite3_errmsg(db)));
}

}  // namespace

Status make_shop(const std::filesystem::path& file) {
  auto db = open(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!db) return db.error();
  if (Status made = execute(db->get(), kSchema); !made.ok()) return made;
  return execute(db->get(), rows());
}

Result<ShopState> read_shop(const std::filesystem::path& file) {
  auto db = open(file, SQLITE_OPEN_READWRITE);  // a killed writer's log is rolled forward by the next opener
  if (!db) return fail(db.error());
  const std::string sql = fmt::format(
      "SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM orders), count(*), "
      "coalesce(sum(amount), 0), "
      "coalesce(sum(order_id = {0}), 0), coalesce(sum(CASE WHEN order_id = {0} THEN amount END), 0), "
      "(SELECT status FROM orders WHERE id = {0}) FROM refunds",
      kOrder);
  sqlite3_stmt* statement = nullptr;
  ShopState state;
  if (sqlite3_prepare_v2(db->get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK ||
      sqlite3_step(statement) != SQLITE_ROW) {
    sqlite3_finalize(statement);
    return fail(Code::kInternal, fmt::format("the shop database: {}", sqlite3_errmsg(db->get())));
  }
  state.customers = sqlite3_column_int(statement, 0);
  state.orders = sqlite3_column_int(statement, 1);
  state.refunds = sqlite3_column_int(statement, 2);
  state.refunded = sqlite3_column_double(statement, 3);
  state.refunds_of_order = sqlite3_column_int(statement, 4);
  state.refunded_of_order = sqlite3_column_double(statement, 5);
  state.order_status = reinterpret_cast<const char*>(sqlite3_column_text(statement, 6));
  sqlite3_finalize(statement);
  return state;
}

}  // namespace holdfast::demo
