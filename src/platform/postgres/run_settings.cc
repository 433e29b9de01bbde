#include "platform_postgres/run_settings.h"

#include "platform_postgres/postgres_store_impl.h"

namespace holdfast::platform {

Status insert_run_settings(Connection& db, std::string_view run, std::string_view settings) {
  if (settings.empty()) return {};
  Statement insert(db, "INSERT INTO run_settings (run, settings) VALUES ($1, $2)");
  return insert.bind(run, settings).run();
}

Result<std::string> PostgresStore::run_settings(std::string_view run) {
  return reading<std::string>([&](Connection& db) -> Result<std::string> {
    Statement query(db, "SELECT settings FROM run_settings WHERE run = $1");
    Result<std::optional<std::string>> found =
        query.bind(run).one([](const Statement& row) { return row.text(0); });
    if (!found) return fail(found.error());
    return found->value_or("");
  });
}

}  // namespace holdfast::platform
