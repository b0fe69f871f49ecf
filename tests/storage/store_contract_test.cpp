// What every engine promises. Runs against the real ones.
#include "tests/storage/database.hpp"
#include "tests/storage/sample.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <thread>

namespace headway::test {

namespace {

class store_contract : public testing::TestWithParam<engine> {
protected:
  void SetUp() override {
    migrate_store(database_->url());
    store_ = open();
  }

  std::unique_ptr<store> open() { return open_store(database_->url()); }

  /// Commits what must succeed.
  std::vector<write_result> commit(std::vector<job_write> batch) { return store_->commit(batch).value(); }

  std::unique_ptr<database> database_ = GetParam().make();
  std::unique_ptr<store> store_;
};

INSTANTIATE_TEST_SUITE_P(engines, store_contract, testing::ValuesIn(engines()),
                         [](const auto& tested) { return tested.param.name; });

/// What must come back of a job, position and shared pointer aside.
void expect_same_job(const job_state& got, const job_state& want) {
  EXPECT_EQ(got.info->id, want.info->id);
  EXPECT_EQ(got.info->id_is_number, want.info->id_is_number);
  EXPECT_EQ(got.info->user_id, want.info->user_id);
  EXPECT_EQ(got.info->project_id, want.info->project_id);
  EXPECT_EQ(got.info->batch_id, want.info->batch_id);
  EXPECT_EQ(got.info->type, want.info->type);
  EXPECT_EQ(got.info->tags, want.info->tags);
  EXPECT_EQ(got.info->metadata, want.info->metadata);
  EXPECT_EQ(got.info->throttle, want.info->throttle);
  EXPECT_EQ(got.info->created_at, want.info->created_at);
  EXPECT_EQ(got.view, want.view);
  EXPECT_EQ(got.seq, want.seq);
  EXPECT_EQ(got.output_bytes, want.output_bytes);
  EXPECT_EQ(got.updated_at, want.updated_at);
}

TEST_P(store_contract, an_empty_log_ends_at_zero) {
  EXPECT_EQ(store_->head().value(), 0U);
  EXPECT_TRUE(store_->is_writable());
  EXPECT_EQ(store_->load_job("nobody").error(), errc::not_found);
  EXPECT_EQ(store_->job_events("nobody", 0, 10).error(), errc::not_found);
  EXPECT_TRUE(commit({}).empty());
}

TEST_P(store_contract, positions_have_no_gaps_over_many_batches) {
  sample_job a{"a"};
  sample_job b{"b"};
  std::uint64_t last = 0;
  auto write = [&](std::vector<job_write> batch) {
    auto results = commit(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      ASSERT_EQ(results[i].error, errc{});
      for (const auto& event : batch[i].events)
        EXPECT_EQ(event->position, ++last);
      EXPECT_EQ(results[i].seq, batch[i].after.seq);
      if (!batch[i].events.empty()) {
        EXPECT_EQ(results[i].position, last);
      }
    }
    EXPECT_EQ(store_->head().value(), last);
  };
  write(writes{a.create(), b.create()});
  for (auto i = 1; i <= 30; ++i)
    write(writes{a.progress(i), b.progress(i), a.heartbeat(), a.progress(i + 0.5)});
  EXPECT_EQ(last, 2U + 30 * 3 + 2); // the first progress also starts the job
}

TEST_P(store_contract, several_writes_of_one_job_come_to_one_row) {
  sample_job job{"42"};
  auto results = commit(writes{job.create(), job.progress(10), job.progress(20), job.heartbeat()});
  ASSERT_EQ(results.size(), 4U);
  EXPECT_EQ(results[0].position, 1U);
  EXPECT_EQ(results[1].position, 3U); // started and moved
  EXPECT_EQ(results[2].position, 4U);
  EXPECT_EQ(results[3].position, 4U);
  auto loaded = store_->load_job("42").value();
  expect_same_job(loaded, job.state());
  EXPECT_EQ(loaded.position, 4U);

  commit(writes{job.progress(30), job.progress(40), job.progress(50)});
  loaded = store_->load_job("42").value();
  EXPECT_EQ(loaded.view.progress, 50);
  EXPECT_EQ(loaded.seq, 7U);
  EXPECT_EQ(loaded.position, 7U);
}

TEST_P(store_contract, a_heartbeat_keeps_the_position) {
  sample_job job{"42"};
  sample_job other{"43"};
  commit(writes{job.create(), job.progress(10), other.create()});
  auto results = commit(writes{job.heartbeat()});
  EXPECT_EQ(results[0].position, 3U);
  EXPECT_EQ(results[0].seq, 3U);
  auto loaded = store_->load_job("42").value();
  EXPECT_EQ(loaded.position, 3U);
  EXPECT_EQ(loaded.updated_at, job.state().updated_at);
  EXPECT_EQ(store_->head().value(), 4U);
}

TEST_P(store_contract, a_failed_guard_leaves_out_one_job_and_nothing_else) {
  sample_job a{"a"};
  sample_job b{"b"};
  commit(writes{a.create(), b.create()});
  auto behind = a; // another node's actor
  commit(writes{a.progress(10)});

  auto batch = writes{b.progress(1), behind.progress(5), behind.progress(6), b.progress(2)};
  auto results = commit(batch);
  EXPECT_EQ(results[0].error, errc{});
  EXPECT_EQ(results[1].error, errc::stale_seq);
  EXPECT_EQ(results[2].error, errc::stale_seq);
  EXPECT_EQ(results[3].error, errc{});
  EXPECT_EQ(results[3].position, 7U);
  EXPECT_EQ(batch[1].events[0]->position, 0U);
  EXPECT_EQ(store_->head().value(), 7U);
  EXPECT_EQ(store_->load_job("a")->view.progress, 10);
  EXPECT_EQ(store_->load_job("b")->view.progress, 2);
}

TEST_P(store_contract, a_batch_of_losers_changes_nothing) {
  sample_job job{"a"};
  commit(writes{job.create()});
  auto behind = job;
  commit(writes{job.progress(10)});
  EXPECT_EQ(commit(writes{behind.progress(5)})[0].error, errc::stale_seq);
  EXPECT_EQ(store_->head().value(), 3U);
}

TEST_P(store_contract, a_job_is_created_once) {
  sample_job first{"42"};
  sample_job second{sample_info("42", "somebody else")};
  sample_job fresh{"43"};
  commit(writes{first.create()});
  auto results = commit(writes{second.create(), second.progress(10), fresh.create()});
  EXPECT_EQ(results[0].error, errc::job_exists);
  EXPECT_EQ(results[1].error, errc::stale_seq);
  EXPECT_EQ(results[2].error, errc{});
  EXPECT_EQ(store_->load_job("42")->info->user_id, "u1");
  EXPECT_EQ(store_->head().value(), 2U);
}

TEST_P(store_contract, an_update_of_a_job_that_never_was_is_stale) {
  sample_job job{"42"};
  job.create();
  EXPECT_EQ(commit(writes{job.progress(1)})[0].error, errc::stale_seq);
  EXPECT_EQ(store_->load_job("42").error(), errc::not_found);
}

TEST_P(store_contract, an_event_is_written_once) {
  sample_job a{"a"};
  sample_job b{"b"};
  auto first = a.create();
  auto again = b.create();
  again.events[0]->id = first.events[0]->id;
  commit(writes{std::move(first)});
  auto batch = writes{std::move(again)};
  EXPECT_EQ(store_->commit(batch).error(), errc::store_unavailable);
  EXPECT_EQ(batch[0].events[0]->position, 0U);
  EXPECT_EQ(store_->head().value(), 1U);
  EXPECT_EQ(store_->load_job("b").error(), errc::not_found);

  sample_job c{"c"};
  EXPECT_EQ(commit(writes{c.create()})[0].position, 2U); // and the store still works
}

TEST_P(store_contract, every_field_comes_back) {
  const std::string hard = "quote\" 'single' back\\slash {brace},comma NULL null \n\t\r é 漢 🚀 \x01 $1 ?1 %s -- ;";
  auto about = sample_info("a.B_c:d-9", hard, 1'763'694'000'123);
  about->id_is_number = true;
  about->project_id = "{}";
  about->batch_id = "NULL";
  about->type = "\\";
  about->tags = R"(["z","a","\"","{}"])";
  about->metadata = R"({"z":1.50,"a":{"k":"\\"},"list":[1,2.5,null]})";
  about->throttle = throttle_policy{250, 0.5};
  sample_job job{about};
  commit(writes{job.create(),
                job.update({.verb = job_verb::progress, .progress = 12.5, .message = hard, .stage = ",\"{NULL}\""}),
                job.update({.verb = job_verb::output, .chunk = hard + "\n", .chunk_type = "stderr"}),
                job.update({.verb = job_verb::output, .chunk = hard}),
                job.update({.verb = job_verb::progress, .progress = 33.333333333333336}),
                job.update({.verb = job_verb::complete, .result = R"({"z":1,"a":[12.5,"\"\\"]})"})});

  store_ = open();
  expect_same_job(store_->load_job("a.B_c:d-9").value(), job.state());
  auto events = store_->job_events("a.B_c:d-9", 0, 100).value();
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[2].view.progress, 12.5);
  EXPECT_EQ(events[2].view.message, hard);
  EXPECT_EQ(events[3].kind, event_kind::output);
  EXPECT_EQ(events[3].chunk, hard + "\n");
  EXPECT_EQ(events[3].chunk_type, "stderr");
  EXPECT_EQ(events[4].chunk, hard);
  EXPECT_EQ(events[4].chunk_type, "");
  EXPECT_EQ(events[4].chunk_offset, hard.size() + 1);
  EXPECT_EQ(events[5].view.progress, 33.333333333333336);
  EXPECT_EQ(events[6].view, job.state().view);
  EXPECT_EQ(events[6].info->metadata, about->metadata);
}

TEST_P(store_contract, an_event_comes_back_as_it_was_written) {
  sample_job job{"42"};
  auto batch = writes{job.create(), job.progress(12.5), job.update({.verb = job_verb::cancel})};
  store_->commit(batch).value();
  std::vector<job_event> want;
  for (const auto& write : batch)
    for (const auto& event : write.events)
      want.push_back(*event);
  auto got = store_->job_events("42", 0, 100).value();
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].position, want[i].position);
    EXPECT_EQ(got[i].seq, want[i].seq);
    EXPECT_EQ(got[i].kind, want[i].kind);
    EXPECT_EQ(got[i].time, want[i].time);
    EXPECT_EQ(got[i].id, want[i].id);
    EXPECT_EQ(got[i].view, want[i].view);
    EXPECT_EQ(got[i].info->user_id, "u1");
  }
}

TEST_P(store_contract, an_error_keeps_whether_it_may_be_retried) {
  auto number = 0;
  for (const auto& error :
       {job_error{"disk full", "E\"1\"", true}, job_error{"", "", false}, job_error{"gone", "", std::nullopt}}) {
    sample_job job{std::to_string(++number)};
    commit(writes{job.create(), job.update({.verb = job_verb::fail, .error = error})});
    EXPECT_EQ(store_->load_job(std::to_string(number))->view.error, error);
    EXPECT_EQ(store_->job_events(std::to_string(number), 0, 9)->back().view.error, error);
  }
  sample_job fine{"fine"};
  commit(writes{fine.create()});
  EXPECT_EQ(store_->load_job("fine")->view.error, std::nullopt);
}

TEST_P(store_contract, text_that_no_engine_may_hold_spoils_no_batch) {
  sample_job bad{"bad"};
  sample_job good{"good"};
  using namespace std::string_literals;
  auto results =
    commit(writes{bad.create(), bad.update({.verb = job_verb::progress, .progress = 1, .message = "a\0b"s}),
                  bad.update({.verb = job_verb::stage, .stage = "\xff\xc3("}), good.create()});
  EXPECT_TRUE(std::ranges::all_of(results, [](const auto& r) { return r.error == errc{}; }));
  EXPECT_EQ(store_->load_job("bad")->seq, 4U);
  EXPECT_EQ(store_->load_job("good")->seq, 1U);
  EXPECT_EQ(store_->load_job("\xff").error(), errc::not_found);
}

TEST_P(store_contract, events_come_in_pages) {
  sample_job job{"42"};
  sample_job other{"4"};
  commit(writes{job.create(), other.create()});
  for (auto i = 1; i <= 9; ++i)
    commit(writes{job.progress(i), other.progress(i)});
  auto page = store_->job_events("42", 0, 4).value();
  ASSERT_EQ(page.size(), 4U);
  EXPECT_EQ(page.front().seq, 1U);
  EXPECT_EQ(page.back().seq, 4U);
  page = store_->job_events("42", 9, 4).value();
  ASSERT_EQ(page.size(), 2U);
  EXPECT_EQ(page.back().seq, 11U);
  EXPECT_TRUE(store_->job_events("42", 11, 4)->empty());
  EXPECT_TRUE(store_->job_events("42", UINT64_MAX, 4)->empty());
}

TEST_P(store_contract, jobs_are_listed_newest_first_by_filter_and_page) {
  std::vector<job_write> batch;
  for (auto i = 0; i < 12; ++i) {
    auto about = sample_info("j" + std::to_string(i), i % 2 == 0 ? "even" : "odd", 1000 + i / 3); // ties in time
    about->project_id = i % 3 == 0 ? "p" : "";
    sample_job job{about};
    batch.push_back(job.create());
    if (i >= 6)
      batch.push_back(job.update({.verb = job_verb::start}));
  }
  commit(std::move(batch));
  auto ids = [&](const job_filter& filter) {
    std::string out;
    for (const auto& job : store_->list_jobs(filter).value().jobs)
      out += job.info->id + " ";
    return out;
  };
  EXPECT_EQ(ids({}), "j9 j11 j10 j8 j7 j6 j5 j4 j3 j2 j1 j0 ");
  EXPECT_EQ(ids({.user_id = "even"}), "j10 j8 j6 j4 j2 j0 ");
  EXPECT_EQ(ids({.project_id = "p"}), "j9 j6 j3 j0 ");
  EXPECT_EQ(ids({.status = job_status::queued}), "j5 j4 j3 j2 j1 j0 ");
  EXPECT_EQ(ids({.user_id = "odd", .project_id = "p", .status = job_status::running}), "j9 ");
  EXPECT_EQ(ids({.user_id = "' OR 1=1 --"}), "");

  std::string all;
  job_filter filter{.limit = 5};
  auto pages = 0;
  do {
    auto page = store_->list_jobs(filter).value();
    for (const auto& job : page.jobs)
      all += job.info->id + " ";
    filter.cursor = page.next;
    ++pages;
  } while (!filter.cursor.empty());
  EXPECT_EQ(all, ids({}));
  EXPECT_EQ(pages, 3);
  EXPECT_TRUE(store_->list_jobs({.limit = 12})->next.empty()); // a full last page is still the last
  EXPECT_TRUE(store_->list_jobs({.limit = SIZE_MAX})->next.empty());
}

TEST_P(store_contract, a_cursor_that_is_not_ours_is_refused) {
  for (auto garbage : {"x", "1", "1.", ".a", "1.a b", "99999999999999999999999.a", "1.a'--", "1x.a", " 1.a"})
    EXPECT_EQ(store_->list_jobs({.cursor = garbage}).error(), errc::bad_request) << garbage;
}

TEST_P(store_contract, api_keys_are_found_by_their_hash) {
  EXPECT_EQ(store_->find_api_key("abc").error(), errc::not_found);
  EXPECT_TRUE(store_->put_api_key("abc", {"build \"farm\"", "ingest", 77}).has_value());
  EXPECT_TRUE(store_->put_api_key("abd", {"other", "ingest", 78}).has_value());
  auto key = open()->find_api_key("abc").value();
  EXPECT_EQ(key.name, "build \"farm\"");
  EXPECT_EQ(key.scope, "ingest");
  EXPECT_EQ(key.created_at, 77);
  EXPECT_TRUE(store_->put_api_key("abc", {"renamed", "ingest", 79}).has_value());
  EXPECT_EQ(store_->find_api_key("abc")->name, "renamed");
}

TEST_P(store_contract, two_writers_share_one_log_without_gaps) {
  constexpr auto batches = 200;
  struct range {
    std::uint64_t first;
    std::uint64_t last;
  };
  std::mutex guard;
  std::vector<range> ranges;
  auto work = [&](const std::string& name) {
    auto mine = open();
    sample_job job{name};
    sample_job other{name + "-other"};
    std::uint64_t before = 0;
    for (auto i = 0; i < batches; ++i) {
      auto batch = i == 0 ? writes{job.create(), other.create()}
                          : writes{job.progress(i * 0.5), other.progress(i * 0.25), job.progress(i * 0.5)};
      auto results = mine->commit(batch);
      ASSERT_TRUE(results.has_value());
      auto first = batch.front().events.front()->position;
      auto last = batch.back().events.back()->position;
      EXPECT_GT(first, before); // positions never fall in commit order
      EXPECT_LE(last, mine->head().value());
      before = last;
      std::lock_guard lock{guard};
      ranges.push_back({first, last});
    }
  };
  std::jthread other{work, "other"};
  work("one");
  other.join();

  std::ranges::sort(ranges, {}, &range::first);
  ASSERT_EQ(ranges.size(), 2U * batches);
  std::uint64_t last = 0;
  for (const auto& r : ranges) {
    EXPECT_EQ(r.first, last + 1);
    last = r.last;
  }
  EXPECT_EQ(store_->head().value(), last);
  EXPECT_EQ(database_->ask("SELECT count(*) FROM log"), std::to_string(last));
}

TEST_P(store_contract, two_writers_never_both_extend_a_job) {
  sample_job start{"42"};
  commit(writes{start.create(), start.progress(1)});
  auto work = [&](int& won) {
    auto mine = open();
    for (auto i = 0; i < 100; ++i) {
      auto now = mine->load_job("42").value();
      auto batch = writes{to_write(now.seq, apply(now, {.verb = job_verb::progress, .progress = 1}, 3000).value())};
      auto results = mine->commit(batch);
      ASSERT_TRUE(results.has_value());
      won += results->front().error == errc{} ? 1 : 0;
    }
  };
  auto won_there = 0;
  auto won_here = 0;
  std::jthread other{work, std::ref(won_there)};
  work(won_here);
  other.join();
  auto job = store_->load_job("42").value();
  EXPECT_EQ(job.seq, static_cast<std::uint64_t>(3 + won_here + won_there));
  EXPECT_EQ(job.position, job.seq);
  auto events = store_->job_events("42", 0, 1000).value();
  for (std::size_t i = 0; i < events.size(); ++i)
    EXPECT_EQ(events[i].seq, i + 1);
}

TEST_P(store_contract, a_reader_sees_what_is_committed) {
  auto reader = open();
  sample_job job{"42"};
  commit(writes{job.create()});
  EXPECT_EQ(reader->load_job("42")->seq, 1U);
  commit(writes{job.progress(5)});
  EXPECT_EQ(reader->load_job("42")->seq, 3U);
  EXPECT_EQ(reader->head().value(), 3U);
}

TEST_P(store_contract, a_large_batch_is_one_commit) {
  std::vector<job_write> batch;
  for (auto i = 0; i < 2000; ++i) {
    sample_job job{"j" + std::to_string(i)};
    batch.push_back(job.create());
    batch.push_back(job.update({.verb = job_verb::output, .chunk = std::string(200, 'x')}));
  }
  auto results = commit(std::move(batch));
  EXPECT_EQ(results.size(), 4000U);
  EXPECT_EQ(results.back().position, 6000U);
  EXPECT_EQ(store_->head().value(), 6000U);
}

} // namespace

} // namespace headway::test
