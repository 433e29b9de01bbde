#include "archive/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "base/json.h"
#include "base/sha256.h"

namespace holdfast::archive {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr std::string_view kFirstWords = "holdfast backup, format ";
constexpr std::string_view kHashWord = ", sha256 ";

// One folder deep at most, of characters that no file system reads as anything but a name.
bool is_plain_path(std::string_view path) {
  const auto plain_name = [](std::string_view name) {
    return !name.empty() && name.front() != '.' && name.size() <= 255 &&
           std::all_of(name.begin(), name.end(), [](char c) {
             return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' ||
                    c == '-' || c == '_';
           });
  };
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return plain_name(path) && path != kManifestName;
  return plain_name(path.substr(0, slash)) && plain_name(path.substr(slash + 1));
}

std::unexpected<Status> damaged(std::string_view name, std::string_view why) {
  return fail(Code::kDataLoss,
              fmt::format("{} is damaged ({}): this backup cannot be used; take another one", name, why));
}

Result<File> file_of(const Json& json, std::string_view name) {
  if (!json.is_object() || !json.contains("path") || !json["path"].is_string() || !json.contains("size") ||
      !json["size"].is_number_unsigned() || !json.contains("sha256") || !json["sha256"].is_string()) {
    return damaged(name, "a file without path, size or sha256");
  }
  File file{json["path"], json["size"], json["sha256"]};
  if (!is_plain_path(file.path)) return damaged(name, "a path that is none of a backup");
  return file;
}

}  // namespace

std::uint64_t Manifest::bytes() const {
  std::uint64_t sum = 0;
  for (const File& file : files) sum += file.size;
  return sum;
}

std::string manifest_text(const Manifest& manifest) {
  Json files = Json::array();
  for (const File& file : manifest.files)
    files.push_back({{"path", file.path}, {"size", file.size}, {"sha256", file.sha256}});
  const Json json = {{"made_by", manifest.made_by},
                     {"taken_at", manifest.taken_at},
                     {"data_format", manifest.data_format},
                     {"engine", manifest.engine},
                     {"files", std::move(files)}};
  const std::string body = dump_json(json, 1) + "\n";
  return fmt::format("{}{}{}{}\n{}", kFirstWords, kFormat, kHashWord, sha256_hex(body), body);
}

Result<Manifest> parse_manifest(std::string_view text, std::string_view name) {
  if (!text.starts_with(kFirstWords)) return damaged(name, "its first line");
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return damaged(name, "its first line");
  const std::string_view line = text.substr(0, end);
  const std::string_view body = text.substr(end + 1);
  int format = 0;
  const char* at = line.data() + kFirstWords.size();
  const auto [rest, error] = std::from_chars(at, line.data() + line.size(), format);
  if (error != std::errc() || format < 1) return damaged(name, "its first line");
  if (format > kFormat) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("{} says that this backup is of a newer Holdfast (format {}, this one reads up to "
                    "{}): restore it with that version",
                    name, format, kFormat));
  }
  const std::string_view hash(rest, static_cast<std::size_t>(line.data() + line.size() - rest));
  if (hash != fmt::format("{}{}", kHashWord, sha256_hex(body))) return damaged(name, "its checksum");
  const Json json = parse_json<Json>(body);
  if (!json.is_object() || !json.contains("files") || !json["files"].is_array())
    return damaged(name, "no list of files");
  Manifest out;
  if (json.contains("made_by") && json["made_by"].is_string()) out.made_by = json["made_by"];
  if (json.contains("taken_at") && json["taken_at"].is_string()) out.taken_at = json["taken_at"];
  if (!json.contains("data_format") || !json["data_format"].is_number_integer() || !json.contains("engine") ||
      !json["engine"].is_boolean()) {
    return damaged(name, "no data_format or engine");
  }
  out.data_format = json["data_format"];
  out.engine = json["engine"];
  std::set<std::string> seen;
  for (const Json& one : json["files"]) {
    auto file = file_of(one, name);
    if (!file) return fail(file.error());
    if (!seen.insert(file->path).second) return damaged(name, "a file twice");
    out.files.push_back(*std::move(file));
  }
  return out;
}

Result<Manifest> read_manifest(const fs::path& folder) {
  const fs::path path = folder / kManifestName;
  auto text = read_file(path, kMaxManifestBytes);
  if (text) return parse_manifest(*text, path.string());
  if (text.error().code() != Code::kNotFound) return fail(text.error());
  return fail(Code::kFailedPrecondition,
              fmt::format("{} is no backup: it has no {}. If one was taken into it, it was cut off; take "
                          "another one",
                          folder.string(), kManifestName));
}

Status extract(const fs::path& folder, const File& file, const fs::path& to, const GiveUp& give_up) {
  const fs::path from = folder / file.path;
  auto copied = copy_file(from, to, give_up);
  if (!copied && copied.error().code() == Code::kNotFound)
    return damaged(from.string(), "it is missing").error();
  if (!copied) return copied.error();
  if (copied->size != file.size)
    return damaged(from.string(), fmt::format("{} bytes instead of {}", copied->size, file.size)).error();
  if (copied->sha256 != file.sha256) return damaged(from.string(), "its checksum").error();
  return {};
}

}  // namespace holdfast::archive
