#include "platform_sqlite/run_settings.h"

#include "platform_sqlite/sqlite_store_impl.h"

namespace holdfast::platform {

Status insert_run_settings(Database& db, std::string_view run, std::string_view settings) {
  if (settings.empty()) return {};
  Statement insert(db, "INSERT INTO run_settings (run, settings, checksum) VALUES (?1, ?2, " ROW_SUM(
                           "run_settings", "?1, ?2") ")");
  return insert.bind(run, settings).run();
}

Result<std::string> SqliteStore::run_settings(std::string_view run) {
  return reading<std::string>([&](Database& db) -> Result<std::string> {
    Statement query(db, "SELECT run, settings, " ROW_DAMAGED(
                            "checksum", "run_settings", "run, settings") " FROM run_settings WHERE run = ?1");
    Result<std::optional<std::string>> found =
        sound_one(query.bind(run), "run_settings", [](const Statement& row) { return row.text(1); });
    if (!found) return fail(found.error());
    return found->value_or("");
  });
}

}  // namespace holdfast::platform
