import com.pixelmed.validate.DicomSRValidator;

/** Runs PixelMed's validator over many reports: its own command line takes one, and seconds to start. */
class JudgeReports {
    public static void main(String[] paths) throws Exception {
        DicomSRValidator validator = new DicomSRValidator();
        for (String path : paths) {
            System.out.println("== " + path);
            try {
                System.out.print(validator.validate(path));
            } catch (Exception error) {
                System.out.println("Exception: " + error);
            }
        }
    }
}
