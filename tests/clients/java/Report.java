import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.regex.Pattern;

/** Runs checks; each prints one JSON line. */
final class Report {
    static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Pattern PHYSICAL = Pattern.compile("w0[0-9a-z]{25}-");

    private Report() {}

    interface Check {
        /** What is worth telling, or null. */
        String run() throws Exception;
    }

    interface Act {
        void run() throws Exception;
    }

    static void run(String name, Check check) {
        long began = System.nanoTime();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("check", name);
        try {
            String detail = check.run();
            line.put("ok", true);
            line.put("detail", detail == null ? "" : detail);
        } catch (Exception | AssertionError error) {
            StringWriter text = new StringWriter();
            error.printStackTrace(new PrintWriter(text));
            line.put("ok", false);
            line.put("detail", text.toString());
        }
        line.put("seconds", (System.nanoTime() - began) / 10_000_000 / 100.0);
        try {
            System.out.println(new ObjectMapper().writeValueAsString(line));
        } catch (java.io.IOException error) {
            throw new IllegalStateException(error);
        }
    }

    static void expect(boolean held, String what) {
        if (!held) {
            throw new AssertionError(what);
        }
    }

    static void equal(Object found, Object expected, String what) {
        expect(Objects.equals(found, expected), what + ": expected " + expected + ", found " + found);
    }

    /** No answer shows a name as the brokers know it. */
    static void logical(Object answer) {
        expect(!PHYSICAL.matcher(String.valueOf(answer)).find(), "a physical name is shown: " + answer);
    }

    static void until(String what, BooleanSupplier held) throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!held.getAsBoolean()) {
            expect(System.nanoTime() < end, what + ": not within " + PATIENCE);
            Thread.sleep(50);
        }
    }

    /** The act must fail with this error. */
    static void refused(Class<? extends Exception> kind, Act act) throws Exception {
        try {
            act.run();
        } catch (Exception error) {
            Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
            if (kind.isInstance(cause)) {
                return;
            }
            throw error;
        }
        throw new AssertionError("it succeeded, and should fail with " + kind.getSimpleName());
    }
}
