// SPDX-License-Identifier: Apache-2.0
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "render/frame_sequence.h"

enum { STEPS = 13 };  // hourly to T+10, then 13 and 16

static struct catalog_time times[STEPS];
static struct sequence sequence;
static const struct view_camera camera = {.eye = {0, -900, 300}, .target = {0, 0, 3}, .up = {0, 0, 1}, .fov = 40};

static double hour_of(size_t step) { return step <= 10 ? (double)step : 10 + 3 * ((double)step - 10); }

// "T+h" only.
static int place(void *context, const char *rule, bool between, double *out, struct failure *failure) {
    (void)context;
    double hour = strtod(rule + 1, NULL);
    for (size_t s = 0; s < STEPS; s++) {
        if (hour == hour_of(s)) return *out = (double)s, VIRGA_OK;
        if (between && s + 1 < STEPS && hour > hour_of(s) && hour < hour_of(s + 1))
            return *out = (double)s + (hour - hour_of(s)) / (hour_of(s + 1) - hour_of(s)), VIRGA_OK;
    }
    return failure_set(failure, VIRGA_INVALID, "\"%s\" is no step", rule);
}

// The document's member as text; returns the sequence of frames, or NULL with the failure.
static struct frame_sequence *frames_of(const char *member, struct failure *failure) {
    char json[8192];
    struct frame_sequence *frames = NULL;
    struct failure ignored;
    snprintf(json, sizeof json, "{\"version\": 1, \"dataset\": \"d\", \"layers\": [], \"sequence\": %s}", member);
    for (size_t s = 0; s < STEPS; s++) {
        times[s].seconds = 1e9 + 3600 * hour_of(s);
        snprintf(times[s].iso, sizeof times[s].iso, "step %zu", s);
    }
    struct failure *why = failure ? failure : &ignored;
    if (sequence_parse(json, strlen(json), &sequence, why) != VIRGA_OK) fail_msg("%s", why->message);
    struct frame_sequence_options options = {
        .sequence = &sequence, .view_time = "T+2", .camera = &camera, .times = times, .time_count = STEPS, .place = place};
    int status = frame_sequence_new(&options, &frames, why);
    if (!failure && status != VIRGA_OK) fail_msg("%s", ignored.message);
    return frames;
}

static void expect_steps(const char *member, size_t count, const double *places) {
    struct frame_sequence *frames = frames_of(member, NULL);
    assert_int_equal(frame_sequence_count(frames), count);
    for (size_t i = 0; i < count; i++) {
        struct frame frame;
        frame_sequence_at(frames, i, &frame);
        double at = (double)frame.step + frame.blend;
        if (fabs(at - places[i]) > 0.5 / 4096) fail_msg("%s: frame %zu at %g", member, i, at);
        assert_true(frame.blend >= 0 && frame.blend < 1 && frame.step < STEPS && (frame.blend == 0 || frame.step + 1 < STEPS));
    }
    frame_sequence_free(frames);
}

static void expect_wrong(const char *member, int status, const char *message) {
    struct failure failure = {0};
    assert_null(frames_of(member, &failure));
    if (failure.status != status || strncmp(failure.message, message, strlen(message))) fail_msg("%s: \"%s\"", member, failure.message);
}

static void without_fps_each_time_has_a_frame(void **state) {
    (void)state;
    expect_steps("{}", 1, (double[]){2});
    expect_steps("{\"times\": \"all\"}", STEPS, (double[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
    expect_steps("{\"times\": [\"T+3\", \"T+16\", \"T+0\"]}", 3, (double[]){3, 12, 0});
    expect_steps("{\"times\": {\"from\": \"T+9\", \"to\": \"T+13\"}}", 3, (double[]){9, 10, 11});
    expect_steps("{\"times\": {\"from\": \"T+1\", \"to\": \"T+16\", \"every\": 3}}", 6, (double[]){1, 4, 7, 10, 11, 12});
    expect_steps("{\"times\": {\"from\": \"T+1\", \"to\": \"T+6\", \"every\": 2}}", 3, (double[]){1, 3, 5});
    expect_steps("{\"frames\": 3}", 3, (double[]){2, 2, 2});
}

static void a_film_blends_between_steps(void **state) {
    (void)state;
    expect_steps("{\"times\": {\"from\": \"T+0\", \"to\": \"T+2\"}, \"fps\": 8, \"rate\": 2}", 9, (double[]){0, .25, .5, .75, 1, 1.25, 1.5, 1.75, 2});
    // over a gap in the list it goes through the steps between, and backwards where the list does
    expect_steps("{\"times\": [\"T+2\", \"T+0\"], \"fps\": 4, \"rate\": 1}", 5, (double[]){2, 1.5, 1, .5, 0});
    expect_steps("{\"times\": [\"T+0\", \"T+3\"], \"fps\": 3, \"rate\": 1.5}", 3, (double[]){0, 1.5, 3});
    // 25 frames a second at 4 steps a second is 6.25 frames a step: the last step is not met
    struct frame_sequence *frames = frames_of("{\"times\": \"all\", \"fps\": 25}", NULL);
    struct frame frame;
    assert_int_equal(frame_sequence_count(frames), 76);
    frame_sequence_at(frames, 25, &frame);
    assert_true(frame.step == 4 && frame.blend == 0);
    frame_sequence_at(frames, 75, &frame);
    assert_true(frame.step == 12 && frame.blend == 0);
    frame_sequence_free(frames);
    expect_steps("{\"times\": [\"T+11.5\"], \"fps\": 25}", 1, (double[]){10.5});
}

// A frame's valid time, as a rule of its own, shows the very same moment.
static void a_moment_is_found_again_by_its_time(void **state) {
    (void)state;
    struct frame_sequence *frames = frames_of("{\"times\": \"all\", \"fps\": 23.976, \"rate\": 1.7}", NULL);
    for (size_t i = 0; i < frame_sequence_count(frames); i++) {
        struct frame frame, again;
        char member[100];
        frame_sequence_at(frames, i, &frame);
        double seconds = round(1000 * frame_seconds(&frame, times, STEPS)) / 1000;
        snprintf(member, sizeof member, "{\"times\": [\"T+%.6f\"], \"fps\": 5}", (seconds - 1e9) / 3600);
        struct frame_sequence *one = frames_of(member, NULL);
        frame_sequence_at(one, 0, &again);
        assert_true(again.step == frame.step && again.blend == frame.blend);
        frame_sequence_free(one);
    }
    frame_sequence_free(frames);
}

#define KEY(at, x) "{" at ", \"eye\": [" x ", -900, 300], \"target\": [0, 0, 3]}"

static double eye_x(const struct frame_sequence *frames, size_t index) {
    struct frame frame;
    frame_sequence_at(frames, index, &frame);
    return frame.camera.eye[0];
}

static void keys_stand_at_frames_seconds_and_times(void **state) {
    (void)state;
    struct frame_sequence *frames =
        frames_of("{\"times\": \"all\", \"fps\": 8, \"rate\": 4, \"camera_path\": [" KEY("\"frame\": 0", "0") "," KEY("\"second\": 0.5", "40") ","
                  KEY("\"time\": \"T+3\"", "50") "," KEY("\"time\": \"T+13\"", "60") "]}", NULL);
    assert_true(eye_x(frames, 0) == 0 && eye_x(frames, 4) == 40 && eye_x(frames, 6) == 50 && eye_x(frames, 22) == 60 && eye_x(frames, 24) == 60);
    assert_true(eye_x(frames, 2) > 0 && eye_x(frames, 2) < 40);
    frame_sequence_free(frames);
    frames = frames_of("{\"times\": [\"T+4\", \"T+2\", \"T+0\"], \"camera_path\": [" KEY("\"time\": \"T+4\"", "0") ","
                       KEY("\"time\": \"T+0\"", "8") "]}", NULL);
    assert_true(eye_x(frames, 0) == 0 && fabs(eye_x(frames, 1) - 4) < 1e-9 && eye_x(frames, 2) == 8);
    frame_sequence_free(frames);
}

static void a_path_around_one_time_says_how_many(void **state) {
    (void)state;
    struct frame_sequence *frames = frames_of("{\"camera_path\": [" KEY("\"frame\": 0", "0") "," KEY("\"frame\": 49", "49") "]}", NULL);
    assert_int_equal(frame_sequence_count(frames), 50);
    frame_sequence_free(frames);
    frames = frames_of("{\"fps\": 10, \"camera_path\": [" KEY("\"second\": 0", "0") "," KEY("\"second\": 2", "49") "]}", NULL);
    assert_int_equal(frame_sequence_count(frames), 21);
    frame_sequence_free(frames);
}

static void an_orbit_is_shared_out_and_does_not_repeat_its_first_frame(void **state) {
    (void)state;
    struct frame_sequence *frames = frames_of("{\"frames\": 4, \"orbit\": 360}", NULL);
    assert_true(eye_x(frames, 0) == 0 && fabs(eye_x(frames, 1) - 900) < 1e-9);
    assert_true(fabs(eye_x(frames, 2)) < 1e-9 && fabs(eye_x(frames, 3) + 900) < 1e-9);
    frame_sequence_free(frames);
}

static void what_cannot_be_is_said_with_its_field(void **state) {
    (void)state;
    expect_wrong("{\"times\": [\"T+0\", \"T+12\"]}", VIRGA_INVALID, "sequence.times[1]: \"T+12\" is no step");
    expect_wrong("{\"times\": {\"from\": \"T+0.5\", \"to\": \"T+3\"}}", VIRGA_INVALID, "sequence.times.from: \"T+0.5\" is no step");
    expect_wrong("{\"times\": {\"from\": \"T+3\", \"to\": \"T+1\"}}", VIRGA_INVALID, "sequence.times.to: expected a time that is not before");
    expect_wrong("{\"times\": {\"from\": \"T+0\", \"to\": \"T+16\", \"every\": 4}}", VIRGA_INVALID,
                 "sequence.times.every: 12 hours after step 0 is no step; the nearest is step 11");
    expect_wrong("{\"times\": \"all\", \"frames\": 5}", VIRGA_INVALID, "sequence.frames: expected only where one time is shown, and here are 13");
    expect_wrong("{\"orbit\": 90}", VIRGA_INVALID, "sequence.frames: missing");
    expect_wrong("{\"times\": \"all\", \"fps\": 240, \"rate\": 0.01}", VIRGA_TOO_LARGE, "sequence: 288001 frames are more than 100000");
    expect_wrong("{\"times\": \"all\", \"camera_path\": [" KEY("\"time\": \"T+3\"", "0") "," KEY("\"frame\": 2", "0") "]}", VIRGA_INVALID,
                 "sequence.camera_path[1]: expected a place after the one before (frame 2 after frame 3)");
    expect_wrong("{\"times\": [\"T+0\", \"T+2\"], \"camera_path\": [" KEY("\"time\": \"T+1\"", "0") "]}", VIRGA_INVALID,
                 "sequence.camera_path[0].time: no frame shows T+1");
    expect_wrong("{\"camera_path\": [{\"frame\": 0, \"eye\": [-1, 0, 0], \"target\": [0, 0, 0]},"
                 " {\"frame\": 2, \"eye\": [1, 0, 0], \"target\": [0, 0, 0]}]}",
                 VIRGA_INVALID, "sequence.camera_path: the camera meets its target at frame 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_fps_each_time_has_a_frame),
        cmocka_unit_test(a_film_blends_between_steps),
        cmocka_unit_test(a_moment_is_found_again_by_its_time),
        cmocka_unit_test(keys_stand_at_frames_seconds_and_times),
        cmocka_unit_test(a_path_around_one_time_says_how_many),
        cmocka_unit_test(an_orbit_is_shared_out_and_does_not_repeat_its_first_frame),
        cmocka_unit_test(what_cannot_be_is_said_with_its_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
