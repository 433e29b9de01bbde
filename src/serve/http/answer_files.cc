#include "http/answer_files.h"

#include <fmt/format.h>

#include "base/json.h"
#include "base/json_member.h"
#include "base/sha256.h"
#include "base/text.h"
#include "media/media_type.h"

namespace holdfast::http {

namespace {

constexpr std::size_t kMaxFileName = 200;

Problem wrong_file(std::string_view field, const std::string& why) {
  return Problem(422, "invalid_file", fmt::format("`{}`: {}", field, why)).hint("nothing was answered");
}

std::optional<Problem> not_taken(const protocol::FileField& field, std::int64_t bytes,
                                 std::string_view media_type) {
  if (bytes > field.max_bytes) {
    return Problem(
               413, "file_too_large",
               fmt::format("`{}`: the file has {} bytes, {} are allowed", field.name, bytes, field.max_bytes))
        .hint("nothing was answered");
  }
  if (protocol::accepts(field, media_type)) return std::nullopt;
  return wrong_file(field.name, fmt::format("the file is {}, whatever it is called; {} is asked for",
                                            media_type, fmt::join(field.accept, ", ")));
}

// The run that asks may be a sub-agent's, which has no record.
std::string conversation_of(ApiContext& context, const std::string& run) {
  const auto record = context.store().run(run);
  return record && !record->conversation.empty() ? record->conversation : run;
}

// Goes with the run's history, as the file does.
std::string name_key(const platform::Approval& approval, const protocol::FileField& field,
                     const std::string& sha256) {
  return "answer-file:" + sha256_hex(approval.id + "\n" + field.name + "\n" + sha256);
}

// A file has the name that it was sent under, the first time; the answer cannot give it another.
Status keep_name(platform::Store& store, const platform::Approval& approval, const protocol::FileField& field,
                 const std::string& sha256, std::string name) {
  if (name.empty()) return {};
  platform::StepWrite write;
  write.key = name_key(approval, field, sha256);
  write.run = approval.run;
  write.result = dump_json(Json(bounded_text(std::move(name), kMaxFileName)));
  const auto kept = store.commit_step(write);
  return kept ? Status() : kept.error();
}

std::expected<Json, Problem> file_json(platform::Store& store, const platform::Approval& approval,
                                       const protocol::FileField& field, const platform::Blob& blob) {
  Json out = {{"blob", blob.sha256}, {"bytes", blob.bytes}, {"media_type", blob.media_type}};
  const auto name = store.lookup_step(name_key(approval, field, blob.sha256));
  if (!name) return std::unexpected(Problem::from(name.error()));
  if (*name) out["name"] = parse_json<Json>((*name)->result);
  return out;
}

}  // namespace

std::expected<Json, Problem> keep_file(ApiContext& context, const platform::Approval& approval,
                                       const protocol::FileField& field, std::string_view bytes,
                                       std::string_view name) {
  if (bytes.empty()) return std::unexpected(wrong_file(field.name, "the file is empty"));
  platform::BlobWrite write;
  write.run = approval.run;
  write.conversation = conversation_of(context, approval.run);
  write.media_type = media_type_of(bytes);
  write.bytes = bytes;
  if (auto problem = not_taken(field, static_cast<std::int64_t>(bytes.size()), write.media_type))
    return std::unexpected(*std::move(problem));
  const auto kept = context.store().put_blob(write);
  if (!kept) return std::unexpected(Problem::from(kept.error()));
  if (Status status = keep_name(context.store(), approval, field, kept->sha256, std::string(name));
      !status.ok())
    return std::unexpected(Problem::from(status));
  return file_json(context.store(), approval, field, *kept);
}

std::optional<Problem> check_files(ApiContext& context, const platform::Approval& approval,
                                   const protocol::HumanQuestion& question, nlohmann::json& answer) {
  for (const protocol::FileField& field : protocol::file_fields(question.form)) {
    const auto given = answer.find(field.name);
    if (given == answer.end()) continue;
    const std::string sha256 = holdfast::string_member(*given, "blob");
    if (sha256.empty()) {
      return wrong_file(field.name, "it is {\"blob\": ...} of a file that was sent to .../files before");
    }
    const auto blob = context.store().blob(approval.run, conversation_of(context, approval.run), sha256);
    if (!blob && blob.error().code() == Code::kNotFound)
      return wrong_file(field.name, "no such file was sent for this question");
    if (!blob) return Problem::from(blob.error());
    if (auto problem = not_taken(field, blob->bytes, blob->media_type)) return problem;
    const auto known = file_json(context.store(), approval, field, *blob);
    if (!known) return known.error();
    *given = nlohmann::json(*known);
  }
  return std::nullopt;
}

}  // namespace holdfast::http
